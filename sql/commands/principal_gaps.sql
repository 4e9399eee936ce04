/*
description = "What the granted actions of a principal lack, in words by action: as missing_dependencies, of one principal only."
grain = ["action"]
*/
with
dependencies as (
    select
        *,
        lower(json_extract_string(context, '$."iam:PassedToService"[0]')) as service,
    from profile_dependencies
    where profile_id = $profile_id
),

account_roles as (
    select
        role_arn,
        trusted_services,
    from role_trusts
    where account_id = $account_id
),

passes as (
    select distinct
        cell_id,
        context,
        service,
    from dependencies
    where
        dependent_action = 'iam:PassRole'
        and service is not null
        and reason is null
),

passable as (
    select distinct passes.context
    from passes
    inner join cell_access on passes.cell_id = cell_access.cell_id
    inner join account_roles
        on
            list_has_any(account_roles.trusted_services, [passes.service, '*'])
            and scope_covers(
                own_text(cell_access.resource_pattern, $account_id),
                own_text(cell_access.except_resources, $account_id),
                $account_id,
                account_roles.role_arn
            )
    left join context_decisions
        on
            cell_access.condition_id = context_decisions.condition_id
            and passes.context = context_decisions.context
    where coalesce(context_decisions.decision, 'allowed') != 'denied'
),

without_role as (
    select
        passes.context,
        'it is granted, but reaches no role of the account that trusts ' || passes.service as reason,
    from passes
    anti join passable on passes.context = passable.context
    where exists (from account_roles)
),

gaps as (
    select
        dependencies.action,
        dependencies.dependent_action,
        dependencies.needed_when,
        coalesce(dependencies.reason, without_role.reason) as reason,
    from dependencies
    left join without_role
        on
            dependencies.dependent_action = 'iam:PassRole'
            and dependencies.context = without_role.context
)

select
    action,
    list(
        dependent_action || ': ' || reason || ' (needed by ' || needed_when || ')'
        order by dependent_action
    ) as missing_dependencies,
from gaps
where reason is not null
group by action
order by action
