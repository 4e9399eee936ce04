/*
description = "Who can invoke an endpoint, and under which condition; without an endpoint, any endpoint."
grain = ["principal_arn", "action", "resource_type", "resource_pattern"]

[parameters.endpoint]
description = "ARN of one endpoint, or its name in any account, or *"
kind = "endpoint"
default = "*"
*/
select
    access.principal_arn,
    access.principal_type,
    access.account_id,
    access.action,
    access.action_verdict as verdict,
    access.verdict as scope_verdict,
    access.condition,
    access.resource_type,
    access.resource_pattern,
    access.except_resources,
    access.granted_by,
from access
left join reference_resource_types as types
    on
        access.resource_type = types.resource_type
        and split_part(access.action, ':', 1) = types.service
where
    access.action in (
        'sagemaker:InvokeEndpoint',
        'sagemaker:InvokeEndpointAsync',
        'sagemaker:InvokeEndpointWithResponseStream',
        'sagemaker:InvokeEndpointWithBidirectionalStream'
    )
    and is_granted(access.action_verdict)
    and (
        $endpoint = '*'
        or (
            fits_form(endpoint_arn($endpoint, access.resource_pattern, access.account_id), types.arn_format)
            and scope_covers(
                access.resource_pattern,
                access.except_resources,
                access.account_id,
                endpoint_arn($endpoint, access.resource_pattern, access.account_id)
            )
        )
    )
order by access.principal_arn, access.action, access.resource_type, access.resource_pattern
