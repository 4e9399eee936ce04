/*
description = "Who can pass which roles to a service: grants of iam:PassRole whose statements do not keep them from it."
grain = ["principal_arn", "resource_pattern"]

[parameters.service]
description = "Service that the role is passed to"
default = "sagemaker.amazonaws.com"
*/
with
pass_role_grants as (
    select
        principal_arn,
        principal_type,
        account_id,
        verdict,
        condition,
        resource_pattern,
        except_resources,
        granted_by,
        unnest(granted_by) as statement_id,
    from access
    where action = 'iam:PassRole'
),

service_conditions as (
    select
        statement_id,
        contains(operator, 'Not') as is_negated,
        len(list_filter(condition_values, lambda value: $service like like_of(value) escape '\')) > 0 as is_named,
    from conditions
    where lower(condition_key) = 'iam:passedtoservice'
),

-- One granting statement that lets the service through is enough.
let_through as (
    select
        pass_role_grants.*,
        service_conditions.statement_id is not null as names_services,
    from pass_role_grants
    left join service_conditions on pass_role_grants.statement_id = service_conditions.statement_id
    where
        service_conditions.statement_id is null
        or service_conditions.is_named != service_conditions.is_negated
)

select
    principal_arn,
    principal_type,
    account_id,
    verdict,
    condition,
    resource_pattern,
    except_resources,
    granted_by,
    not bool_and(names_services) as is_open_to_any_service,
from let_through
group by all
order by principal_arn, resource_pattern
