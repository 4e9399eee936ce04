/*
description = "The place of each statement of `asked` in the inputs, as pipeline.ingest wants it to find its line."
grain = ["finding_id"]
*/
select
    asked.finding_id,
    attachments.target_arn,
    attachments.attachment_kind,
    attachments.policy_id,
    attachments.policy_name,
    attachments.policy_arn,
    attachments.source,
    statements.statement_index,
    json_type(policies.document, '$.Statement') = 'ARRAY' as is_listed,
from asked
inner join attachments
    on
        asked.attached_to = attachments.target_arn
        and asked.attachment_kind = attachments.attachment_kind
        and asked.policy_id = attachments.policy_id
inner join statements on asked.statement_id = statements.statement_id
inner join policies on attachments.policy_id = policies.policy_id
where
    asked.policy_name is null
    or asked.policy_name = attachments.policy_name
    or asked.policy_name = attachments.policy_arn
qualify row_number() over (
    partition by asked.finding_id
    order by attachments.policy_name, attachments.policy_arn_key
) = 1
order by asked.finding_id
