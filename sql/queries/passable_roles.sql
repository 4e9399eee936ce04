/*
description = "On which roles iam:PassRole holds, decided for this service; a role that does not trust it is of no use there."
grain = ["principal_arn", "role_arn", "resource_pattern"]
needs = ["decisions"]

[given]
"iam:PassedToService" = "service"

[parameters.service]
description = "Service principal that the role is passed to"
kind = "service_principal"
default = "sagemaker.amazonaws.com"
*/
select
    passable_roles.principal_arn,
    passable_roles.role_arn,
    $service as passed_to_service,
    coalesce(decisions.decision, 'allowed') as verdict,
    list_has_any(passable_roles.trusted_services, [lower($service), '*']) as is_trusting,
    passable_roles.condition,
    passable_roles.resource_pattern,
from passable_roles
left join decisions on passable_roles.condition_id = decisions.condition_id
where coalesce(decisions.decision, 'allowed') != 'denied'
order by passable_roles.principal_arn, passable_roles.role_arn, passable_roles.resource_pattern
