/*
description = "Actions that a profile is granted in an account and that depend on another one that is not granted there."
grain = ["account_id", "profile_id", "action", "dependent_action"]
*/
with
account_profiles as (
    select distinct
        coalesce(account_id, '') as account_id,
        profile_id,
    from principal_profiles
),

dependencies as (
    select
        account_profiles.account_id,
        profile_dependencies.*,
    from account_profiles
    inner join profile_dependencies on account_profiles.profile_id = profile_dependencies.profile_id
),

-- Accounts without any role in the inputs are not here: of them nobody can tell that there is none to pass.
account_cells as (
    select distinct
        account_profiles.account_id,
        profile_cells.cell_id,
    from account_profiles
    inner join profile_cells on account_profiles.profile_id = profile_cells.profile_id
    where
        profile_cells.action = 'iam:PassRole'
        and account_profiles.account_id in (select account_id from role_trusts)
),

contexts as (
    select distinct
        context,
        lower(json_extract_string(context, '$."iam:PassedToService"[0]')) as service,
    from reference_dependent_actions
    where
        dependent_action = 'iam:PassRole'
        and json_extract_string(context, '$."iam:PassedToService"[0]') is not null
),

passable as (
    select distinct
        reached_roles.account_id,
        reached_roles.cell_id,
        contexts.context,
    from reached_roles
    inner join contexts on list_has_any(reached_roles.trusted_services, [contexts.service, '*'])
    left join context_decisions
        on
            reached_roles.condition_id = context_decisions.condition_id
            and contexts.context = context_decisions.context
    where coalesce(context_decisions.decision, 'allowed') != 'denied'
),

without_role as (
    select
        account_cells.account_id,
        account_cells.cell_id,
        contexts.context,
        contexts.service,
    from account_cells
    cross join contexts
    anti join passable
        on
            account_cells.account_id = passable.account_id
            and account_cells.cell_id = passable.cell_id
            and contexts.context = passable.context
)

select
    dependencies.account_id,
    dependencies.profile_id,
    dependencies.action,
    dependencies.dependent_action,
    dependencies.context,
    coalesce(
        dependencies.reason,
        'it is granted, but reaches no role of the account that trusts ' || without_role.service
    ) as reason,
    dependencies.is_always_needed,
    dependencies.needed_when,
from dependencies
left join without_role
    on
        dependencies.dependent_action = 'iam:PassRole'
        and dependencies.account_id = without_role.account_id
        and dependencies.cell_id = without_role.cell_id
        and dependencies.context = without_role.context
where
    dependencies.reason is not null
    or without_role.service is not null
