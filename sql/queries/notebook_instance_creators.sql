/*
description = "Who can create notebook instances, and under which condition."
grain = ["principal_arn", "resource_type", "resource_pattern"]
*/
select
    principal_arn,
    principal_type,
    account_id,
    action_verdict as verdict,
    verdict as scope_verdict,
    condition,
    resource_type,
    resource_pattern,
    except_resources,
    granted_by,
from access
where
    action = 'sagemaker:CreateNotebookInstance'
    and is_granted(action_verdict)
order by principal_arn, resource_type, resource_pattern
