/*
description = "Users, roles and loose documents with their profile and their groups; account_id is empty for loose documents."
grain = ["principal_arn"]
*/
with
joined as (
    select
        user_arn,
        list(group_arn order by group_arn) as group_arns,
    from memberships
    group by user_arn
)

select
    principals.principal_arn,
    coalesce(principals.account_id, '') as account_id,
    principals.principal_type,
    principals.principal_name,
    principals.tags,
    principals.boundary_policy_id,
    principals.is_service_linked,
    principals.created_at,
    principals.last_used_at,
    principals.is_incomplete,
    principals.missing,
    principals.source,
    principal_profiles.profile_id,
    joined.group_arns,
from principals
inner join principal_profiles on principals.principal_arn = principal_profiles.principal_arn
left join joined on principals.principal_arn = joined.user_arn
order by principals.account_id nulls last, principals.principal_name, principals.principal_arn
