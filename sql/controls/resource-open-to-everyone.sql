/*
id = "resource-open-to-everyone"
title = "A resource policy is open to everyone"
severity = "critical"
category = "grants"
rationale = """
The policy of the resource allows everyone, or everyone but some, without a condition on who they are: any account of AWS may use it.
That a request is encrypted, at some time or to some Region says nothing of who makes it. Policies of VPC endpoints are left out: who may call through an endpoint needs other rights as well."""
remedy = "Name the accounts or roles under Principal, or keep * and add a condition on aws:PrincipalOrgID."
avoid = '''
{"Effect": "Allow", "Principal": "*", "Action": "sagemaker:DescribeModelPackageGroup", "Resource": "*"}'''
prefer = '''
{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
 "Action": "sagemaker:DescribeModelPackageGroup", "Resource": "*"}'''

[frameworks]
nist-800-53-r5 = ["AC-3", "AC-4"]
soc2-2017 = ["CC6.6"]
pci-dss-4 = ["7.2.2"]
iso-27001-2022 = ["A.5.15"]

[sources.shared]
query = "shared_resources"

[sources.unconditional]
query = "unconditional_statements"
*/
with
-- Conditions that say how and when, and not who.
asking_who as (
    select distinct statement_id
    from conditions
    where
        lower(condition_key) not in (
            'aws:securetransport', 's3:tlsversion', 'aws:currenttime', 'aws:epochtime', 'aws:requestedregion',
            'aws:useragent', 'aws:referer'
        )
)

select distinct
    'resource' as subject_kind,
    shared.resource_arn,
    shared.account_id,
    shared.statement_id,
    case shared.principal_element
        when 'NotPrincipal' then 'Everyone but some may use it, without a condition'
        else 'Everyone may use it, without a condition'
    end || case when shared.condition_count > 0 then ' that says who' else '' end as message,
    case
        when shared.principal_element = 'Principal' and accounts.organization_id is not null
            then json_object(
                'add_condition',
                json_object('StringEquals', json_object('aws:PrincipalOrgID', accounts.organization_id))
            )::varchar
    end as correction,
from shared
left join accounts on shared.account_id = accounts.account_id
left join asking_who on shared.statement_id = asking_who.statement_id
left join unconditional on shared.statement_id = unconditional.statement_id
where
    shared.effect = 'Allow'
    and shared.attachment_kind = 'resource'
    and (asking_who.statement_id is null or unconditional.statement_id is not null)
    and (shared.principal_element = 'NotPrincipal' or shared.principal_value = '*')
