/*
description = "Identity policies and boundary of each user, role and loose document, those of the user's groups included."
grain = ["principal_arn", "attachment_kind", "policy_id", "via_arn", "policy_name", "policy_arn_key"]
*/
with
-- Where the policies of a user, role or document are attached: to itself, and to the user's groups.
places as (
    select
        principal_arn,
        principal_arn as via_arn,
    from principals
    where principal_type != 'group'
    union all
    select
        user_arn as principal_arn,
        group_arn as via_arn,
    from memberships
)

select
    places.principal_arn,
    attachments.attachment_kind,
    attachments.policy_id,
    places.via_arn,
    attachments.policy_name,
    attachments.policy_arn,
    attachments.policy_arn_key,
from places
inner join attachments on places.via_arn = attachments.target_arn
where attachments.attachment_kind in ('inline', 'managed', 'boundary')
