/*
description = "The roles of the inputs that a principal may pass: those of its own account that a scope of iam:PassRole reaches."
grain = ["principal_arn", "role_arn", "resource_pattern"]
*/
with
passing as (
    select
        principal_profiles.principal_arn,
        principal_profiles.account_id,
        profile_cells.cell_id,
    from principal_profiles
    inner join profile_cells on principal_profiles.profile_id = profile_cells.profile_id
    inner join cell_verdicts on profile_cells.cell_id = cell_verdicts.cell_id
    where
        profile_cells.action = 'iam:PassRole'
        and cell_verdicts.verdict in ('allowed', 'conditional')
),

scopes as (
    select distinct
        passing.account_id,
        cell_access.cell_id,
        own_text(cell_access.resource_pattern, passing.account_id) as resource_pattern,
        own_text(cell_access.except_resources, passing.account_id) as except_resources,
        cell_access.verdict,
        cell_access.condition_id,
    from passing
    inner join cell_access on passing.cell_id = cell_access.cell_id
),

-- Of each scope once for all principals of an account that share it.
reached as (
    select
        scopes.*,
        role_trusts.role_arn,
        role_trusts.trusted_services,
    from scopes
    inner join role_trusts on scopes.account_id = role_trusts.account_id
    where scope_covers(scopes.resource_pattern, scopes.except_resources, scopes.account_id, role_trusts.role_arn)
)

select
    passing.principal_arn,
    passing.account_id,
    reached.role_arn,
    reached.resource_pattern,
    reached.verdict,
    own_text(residual_conditions.condition, passing.account_id) as condition,
    reached.condition_id,
    reached.trusted_services,
from passing
inner join reached on passing.account_id = reached.account_id and passing.cell_id = reached.cell_id
left join residual_conditions on reached.condition_id = residual_conditions.condition_id
