/*
id = "source-address-misses-endpoints"
title = "A limit to source addresses hits or misses calls that have none"
severity = "medium"
category = "guide"
rationale = """
Calls through a VPC endpoint carry no public aws:SourceIp, and calls that an AWS service makes for a principal carry the
service's. A Deny with NotIpAddress refuses all of them, so jobs and consoles fail; a Deny with IpAddress lets those through a
VPC endpoint pass; an Allow with IpAddress never lets them pass."""
remedy = """
In a Deny add conditions for the other two ways: StringNotEquals or Null of aws:SourceVpce or aws:SourceVpc, and Bool of
aws:ViaAWSService false. Beside an Allow write a second one for the VPC endpoint."""
uncorrected = "which VPCs and endpoints the calls come from, the statement does not tell."
avoid = '''
{"Effect": "Deny", "Action": "sagemaker:*", "Resource": "*",
 "Condition": {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}'''
prefer = '''
{"Effect": "Deny", "Action": "sagemaker:*", "Resource": "*",
 "Condition": {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"},
               "StringNotEqualsIfExists": {"aws:SourceVpce": "vpce-0123"},
               "Bool": {"aws:ViaAWSService": "false"}}}'''

[frameworks]
nist-800-53-r5 = ["AC-4", "SC-7"]
iso-27001-2022 = ["A.8.22"]
*/
with
addresses as (
    select
        statements.statement_id,
        statements.policy_id,
        statements.effect,
        conditions.operator,
        conditions.if_exists,
    from statements
    inner join conditions on statements.statement_id = conditions.statement_id
    where lower(conditions.condition_key) = 'aws:sourceip'
),

ways as (
    select
        statement_id,
        bool_or(
            lower(condition_key) in ('aws:sourcevpc', 'aws:sourcevpce', 'aws:vpcsourceip')
            -- It is about calls that carry an address alone.
            or (
                lower(condition_key) = 'aws:sourceip'
                and operator = 'Null'
                and list_transform(condition_values, lambda one: lower(one)) = ['false']
            )
        ) as names_endpoints,
        bool_or(lower(condition_key) in ('aws:viaawsservice', 'aws:principalisawsservice')) as names_services,
    from conditions
    group by statement_id
),

-- Another Allow of the same policy for the way through an endpoint.
twins as (
    select distinct statements.policy_id
    from statements
    inner join conditions on statements.statement_id = conditions.statement_id
    where
        statements.effect = 'Allow'
        and lower(conditions.condition_key) in ('aws:sourcevpc', 'aws:sourcevpce', 'aws:vpcsourceip')
),

judged as (
    select
        addresses.statement_id,
        case
            when addresses.effect = 'Deny' and addresses.operator = 'NotIpAddress' and not ways.names_endpoints
                and not ways.names_services
                then 'Deny outside of addresses: it also refuses calls through VPC endpoints and those of AWS services'
            when addresses.effect = 'Deny' and addresses.operator = 'NotIpAddress' and not ways.names_endpoints
                then 'Deny outside of addresses: it also refuses calls through VPC endpoints'
            when addresses.effect = 'Deny' and addresses.operator = 'NotIpAddress' and not ways.names_services
                then 'Deny outside of addresses: it also refuses calls that AWS services make for the principal'
            when addresses.effect = 'Deny' and addresses.operator = 'IpAddress' and not addresses.if_exists
                and not ways.names_endpoints
                then 'Deny of addresses: calls through VPC endpoints carry none and pass'
            when addresses.effect = 'Allow' and addresses.operator = 'IpAddress' and not addresses.if_exists
                and twins.policy_id is null
                then 'Allow from addresses: calls through VPC endpoints carry none and do not pass'
        end as message,
    from addresses
    inner join ways on addresses.statement_id = ways.statement_id
    left join twins on addresses.policy_id = twins.policy_id
)

select
    'statement' as subject_kind,
    statement_id,
    message,
from judged
where message is not null
