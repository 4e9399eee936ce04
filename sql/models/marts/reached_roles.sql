/*
description = "The roles of an account that a scope of iam:PassRole reaches, once for all principals whose cell it is."
grain = ["account_id", "cell_id", "resource_pattern", "role_arn"]
*/
with
scopes as (
    select distinct
        principal_profiles.account_id,
        profile_cells.cell_id,
        cell_access.verdict,
        cell_access.condition_id,
        own_text(cell_access.resource_pattern, principal_profiles.account_id) as resource_pattern,
        own_text(cell_access.except_resources, principal_profiles.account_id) as except_resources,
    from principal_profiles
    inner join profile_cells on principal_profiles.profile_id = profile_cells.profile_id
    inner join cell_access on profile_cells.cell_id = cell_access.cell_id
    where profile_cells.action = 'iam:PassRole'
),

-- Patterns are made before scopes meet roles: there are many pairs.
patterns as (
    select distinct
        account_id,
        cell_id,
        verdict,
        condition_id,
        resource_pattern,
        like_of(resource_pattern) as like_pattern,
        excepted_likes(except_resources) as excepted,
    from scopes
)

select
    patterns.account_id,
    patterns.cell_id,
    patterns.resource_pattern,
    patterns.verdict,
    patterns.condition_id,
    role_trusts.role_arn,
    role_trusts.trusted_services,
from patterns
inner join role_trusts on patterns.account_id = role_trusts.account_id
where is_among(role_trusts.role_arn, patterns.like_pattern, patterns.excepted)
