/*
id = "execution-role-trusts-other-account"
title = "An execution role may be assumed from another account"
severity = "high"
category = "grants"
rationale = """
The role is there for SageMaker, and its trust policy also lets principals of another account assume it: they have what jobs and
notebooks of this account have. Conditions that pin who it is (aws:PrincipalArn, aws:PrincipalOrgID, sts:ExternalId) count."""
remedy = """
Take the other account out of the trust policy of the execution role, and give it a role of its own with less."""
avoid = '''
[{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"},
 {"Effect": "Allow", "Principal": {"AWS": "999988887777"}, "Action": "sts:AssumeRole"}]'''
prefer = '''
{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole",
 "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}}'''

[frameworks]
nist-800-53-r5 = ["AC-3", "AC-6"]
iso-27001-2022 = ["A.5.15"]
soc2-2017 = ["CC6.3"]

[sources.service_trusts]
query = "service_roles"
*/
with
trusted as (
    select distinct
        service_trusts.principal_arn,
        service_trusts.account_id,
        trusted_principals.statement_id,
        trusted_principals.principal_value,
        case
            when trusted_principals.principal_value = '*' then 'everyone'
            else 'account ' || named_account(trusted_principals.principal_value)
        end as trusted_one,
    from service_trusts
    inner join trusted_principals on service_trusts.principal_arn = trusted_principals.role_arn
    where
        trusted_principals.principal_kind in ('AWS', '*')
        and (
            trusted_principals.principal_value = '*'
            or named_account(trusted_principals.principal_value) not in ('', service_trusts.account_id)
        )
),

pinned as (
    select distinct statement_id
    from conditions
    where
        lower(condition_key) in (
            'aws:principalarn', 'aws:principalorgid', 'aws:principalorgpaths', 'aws:principalaccount', 'sts:externalid'
        )
        and asks_for_values(operator, set_qualifier, if_exists, condition_values)
)

select
    'role' as subject_kind,
    trusted.principal_arn,
    trusted.account_id,
    trusted.principal_arn as attached_to,
    trusted.statement_id,
    trusted.trusted_one as aspect,
    'The execution role may be assumed by ' || trusted.trusted_one as message,
    json_object(
        'drop_principals', list(trusted.principal_value order by trusted.principal_value)
    )::varchar as correction,
from trusted
anti join pinned on trusted.statement_id = pinned.statement_id
group by trusted.principal_arn, trusted.account_id, trusted.statement_id, trusted.trusted_one
