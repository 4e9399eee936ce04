/*
id = "policy-near-size-limit"
title = "A policy is near the limit of its size"
severity = "low"
category = "hygiene"
rationale = """
AWS limits the characters of a policy, white space apart: 6,144 of a managed one; of all inline ones together 2,048 of a user,
5,120 of a group and 10,240 of a role; 2,048 of a trust policy unless raised; 5,120 of an SCP or RCP. Near it the next right
cannot be added, and wildcards come in to save characters."""
remedy = "Split the policy by task, or take out what is not used."
uncorrected = "it is about the policy as a whole, which is not wrong."
avoid = "One policy for everything that a team does, with shortened patterns such as sagemaker:*Job."
prefer = "Several managed policies, each for a task."

[parameters.percent]
description = "Percentage of the limit from which on a policy is near it"
default = 90

[parameters.trust_limit]
description = "Characters of a trust policy; AWS raises it to 4,096 on request"
default = 2048

[parameters.control_policy_limit]
description = "Characters of an SCP"
default = 5120
*/
with
limits as (
    select
        unnest(['managed', 'inline user', 'inline group', 'inline role', 'trust', 'scp', 'rcp']) as kind,
        unnest([6144, 2048, 5120, 10240, $trust_limit, $control_policy_limit, 5120]) as character_limit,
),

sized as (
    select
        attachments.target_arn,
        attachments.policy_id,
        attachments.attachment_kind,
        case attachments.attachment_kind
            when 'inline'
                then 'inline ' || regexp_extract(attachments.target_arn, '^[^:]*:[^:]*:[^:]*:[^:]*:[^:]*:([a-z]+)/', 1)
            when 'boundary' then 'managed'
            else attachments.attachment_kind
        end as kind,
        length(policies.document) as character_count,
    from attachments
    inner join policies on attachments.policy_id = policies.policy_id
    where
        not starts_with(attachments.target_arn, 'policy/')
        -- AWS keeps its own limits for its own policies.
        and coalesce(attachments.policy_arn, '') not like 'arn:%:iam::aws:policy/%'
),

-- Managed policies and control policies count one by one, wherever they are; inline ones of a target together.
totals as (
    select
        kind,
        policy_id,
        null as target_arn,
        any_value(character_count) as character_count,
    from sized
    where attachment_kind not in ('inline', 'trust')
    group by kind, policy_id
    union all
    select
        kind,
        min(policy_id) as policy_id,
        target_arn,
        sum(character_count) as character_count,
    from sized
    where attachment_kind in ('inline', 'trust')
    group by kind, target_arn
)

select
    'policy' as subject_kind,
    totals.policy_id,
    totals.target_arn as attached_to,
    totals.kind as aspect,
    case when totals.kind like 'inline%' then 'The inline policies have ' else 'The policy has ' end
    || totals.character_count || ' of ' || limits.character_limit || ' characters' as message,
from totals
inner join limits on totals.kind = limits.kind
where totals.character_count * 100 >= limits.character_limit * $percent
