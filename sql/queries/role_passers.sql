/*
description = "Who can pass which roles to a service: grants of iam:PassRole, decided for this service."
grain = ["principal_arn", "resource_pattern"]
needs = ["decisions"]

[given]
"iam:PassedToService" = "service"

[parameters.service]
description = "Service principal that the role is passed to"
kind = "service_principal"
default = "sagemaker.amazonaws.com"
*/
select
    access.principal_arn,
    access.principal_type,
    access.account_id,
    $service as passed_to_service,
    coalesce(decisions.decision, 'allowed') as verdict,
    access.condition,
    access.resource_pattern,
    access.except_resources,
    access.granted_by,
    coalesce(not decisions.is_dependent, true) as is_open_to_any_service,
from access
left join decisions on access.condition_id = decisions.condition_id
where
    access.action = 'iam:PassRole'
    and is_granted(access.action_verdict)
    and coalesce(decisions.decision, 'allowed') != 'denied'
order by access.principal_arn, access.resource_pattern
