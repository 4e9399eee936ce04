/*
id = "resource-open-to-everyone"
title = "A resource policy is open to everyone"
severity = "critical"
category = "grants"
rationale = """
The policy of the resource allows everyone, or everyone but some, without a condition: any account of AWS may use it. Policies of
VPC endpoints are left out: who may call through an endpoint needs other rights as well."""
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
*/
with
allowing as (
    select distinct
        shared.resource_arn,
        shared.account_id,
        shared.statement_id,
        shared.principal_kind,
        shared.principal_value,
        shared.principal_element,
        shared.condition_count,
        attachments.attachment_kind,
    from shared
    inner join attachments
        on
            shared.resource_arn = attachments.target_arn
            and split_part(shared.statement_id, '#', 1) = attachments.policy_id
    where
        shared.effect = 'Allow'
        and attachments.attachment_kind = 'resource'
)

select
    'resource' as subject_kind,
    allowing.resource_arn,
    allowing.account_id,
    allowing.statement_id,
    case allowing.principal_element
        when 'NotPrincipal' then 'Everyone but some may use it, without a condition'
        else 'Everyone may use it, without a condition'
    end as message,
    case
        when allowing.principal_element = 'Principal' and accounts.organization_id is not null
            then json_object(
                'add_condition',
                json_object('StringEquals', json_object('aws:PrincipalOrgID', accounts.organization_id))
            )::varchar
    end as correction,
from allowing
left join accounts on allowing.account_id = accounts.account_id
where
    allowing.condition_count = 0
    and (allowing.principal_element = 'NotPrincipal' or allowing.principal_value = '*')
