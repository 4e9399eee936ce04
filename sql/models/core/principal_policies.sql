/*
description = "Identity policies and boundary of each user, role and loose document, those of the user's groups included."
grain = ["principal_arn", "attachment_kind", "policy_id", "via_arn", "policy_name", "policy_arn_key"]
*/
with
subjects as (
    select principal_arn
    from principals
    where principal_type != 'group'
),

granted as (
    select
        target_arn,
        attachment_kind,
        policy_id,
        policy_name,
        policy_arn,
        policy_arn_key,
    from attachments
    where attachment_kind in ('inline', 'managed', 'boundary')
),

own as (
    select
        subjects.principal_arn,
        granted.attachment_kind,
        granted.policy_id,
        granted.target_arn as via_arn,
        granted.policy_name,
        granted.policy_arn,
        granted.policy_arn_key,
    from subjects
    inner join granted on subjects.principal_arn = granted.target_arn
),

through_groups as (
    select
        memberships.user_arn as principal_arn,
        granted.attachment_kind,
        granted.policy_id,
        granted.target_arn as via_arn,
        granted.policy_name,
        granted.policy_arn,
        granted.policy_arn_key,
    from memberships
    inner join granted on memberships.group_arn = granted.target_arn
)

select * from own
union all
select * from through_groups
