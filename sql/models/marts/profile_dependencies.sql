/*
description = "What each granted action of a profile depends on, and what that comes to for the profile."
grain = ["profile_id", "action", "dependent_action"]
*/
with
dependencies as (
    select
        reference_dependent_actions.action,
        reference_dependent_actions.dependent_action,
        coalesce(reference_dependent_actions.context, '') as context,
    from reference_dependent_actions
    inner join evaluated_actions on reference_dependent_actions.action = evaluated_actions.action
    inner join decided_actions on reference_dependent_actions.dependent_action = decided_actions.action
),

contexts as (
    select distinct
        dependent_action,
        context,
    from dependencies
),

granted as (
    select
        profile_cells.profile_id,
        profile_cells.action,
    from profile_cells
    inner join cell_verdicts on profile_cells.cell_id = cell_verdicts.cell_id
    where is_granted(cell_verdicts.verdict)
),

needed as (
    select
        granted.profile_id,
        dependencies.*,
    from granted
    inner join dependencies on granted.action = dependencies.action
),

-- Grants that no request with the context of the further call meets do not count.
further as (
    select
        profile_cells.profile_id,
        contexts.dependent_action,
        contexts.context,
        profile_cells.cell_id,
        cell_verdicts.verdict as verdict_anyhow,
        cell_verdicts.layer,
        bool_or(coalesce(context_decisions.decision, cell_access.verdict) = 'allowed') as has_allowed,
        bool_or(coalesce(context_decisions.decision, cell_access.verdict) = 'conditional') as has_conditional,
    from profile_cells
    inner join contexts on profile_cells.action = contexts.dependent_action
    inner join cell_verdicts on profile_cells.cell_id = cell_verdicts.cell_id
    left join cell_access on profile_cells.cell_id = cell_access.cell_id
    left join context_decisions
        on
            cell_access.condition_id = context_decisions.condition_id
            and contexts.context = context_decisions.context
    group by all
),

decided as (
    select
        needed.profile_id,
        needed.action,
        needed.dependent_action,
        needed.context,
        further.cell_id,
        further.layer,
        coalesce(further.verdict_anyhow, 'none') as verdict_anyhow,
        case
            when is_granted(further.verdict_anyhow) then
                case
                    when further.has_allowed and further.verdict_anyhow = 'allowed' then 'allowed'
                    when further.has_allowed or further.has_conditional then 'conditional'
                    else 'denied'
                end
            else coalesce(further.verdict_anyhow, 'none')
        end as verdict,
    from needed
    left join further
        on
            needed.profile_id = further.profile_id
            and needed.dependent_action = further.dependent_action
            and needed.context = further.context
)

select
    profile_id,
    action,
    dependent_action,
    nullif(context, '') as context,
    verdict,
    case
        when is_granted(verdict) then null
        when verdict_anyhow = 'none' then 'nothing grants it'
        when verdict_anyhow = 'denied' then 'an explicit Deny takes it away'
        when verdict_anyhow = 'blocked'
            then
                'it is blocked by ' || case layer
                    when 'boundary' then 'the permissions boundary'
                    when 'resource' then 'a resource policy'
                    else upper(layer) || 's'
                end
        else 'it is granted, but never with ' || translate(context, '{}[]"', '')
    end as reason,
    cell_id,
    case
        when regexp_matches(dependent_action, ':(AddTags|TagResource|CreateServiceLinkedRole)$') then false
    end as is_always_needed,
    case
        when regexp_matches(dependent_action, ':(AddTags|TagResource)$') then 'a call that passes tags'
        when dependent_action = 'iam:PassRole' then 'a call that passes a role'
        when dependent_action = 'iam:CreateServiceLinkedRole'
            then 'a call before the service-linked role exists'
        else 'calls that AWS does not name'
    end as needed_when,
from decided
