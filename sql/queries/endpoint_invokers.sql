/*
description = "Who can invoke an endpoint, and under which condition; without an endpoint, any endpoint."
grain = ["principal_arn", "action", "resource_type", "resource_pattern"]

[parameters.endpoint]
description = "ARN of one endpoint, or *"
default = "*"
*/
select
    principal_arn,
    principal_type,
    account_id,
    action,
    verdict,
    condition,
    resource_type,
    resource_pattern,
    except_resources,
    granted_by,
from access
where
    action in (
        'sagemaker:InvokeEndpoint',
        'sagemaker:InvokeEndpointAsync',
        'sagemaker:InvokeEndpointWithResponseStream',
        'sagemaker:InvokeEndpointWithBidirectionalStream'
    )
    and ($endpoint = '*' or scope_covers(resource_pattern, except_resources, account_id, $endpoint))
order by principal_arn, action, resource_type, resource_pattern
