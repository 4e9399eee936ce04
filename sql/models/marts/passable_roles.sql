/*
description = "The roles of the inputs that a principal may pass: those of its own account that a scope of iam:PassRole reaches."
grain = ["principal_arn", "role_arn", "resource_pattern"]
*/
with
passing as materialized (
    select
        principal_profiles.principal_arn,
        principal_profiles.account_id,
        profile_cells.cell_id,
    from principal_profiles
    inner join profile_cells on principal_profiles.profile_id = profile_cells.profile_id
    inner join cell_verdicts on profile_cells.cell_id = cell_verdicts.cell_id
    where
        profile_cells.action = 'iam:PassRole'
        and is_granted(cell_verdicts.verdict)
),

-- Each by itself, whole: joined at once they would meet by account first, in far too many pairs.
reached as materialized (
    from reached_roles
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
