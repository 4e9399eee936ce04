/*
description = "The roles that each principal may pass: how many, how many of these trust SageMaker, and the first ones, those that trust it before the others."
grain = ["principal_arn"]
*/
with
reached as (
    select
        principal_arn,
        role_arn,
        bool_or(list_has_any(trusted_services, ['sagemaker.amazonaws.com', '*'])) as is_trusting,
        bool_or(verdict = 'allowed') as is_allowed,
        min(condition_id) as condition_id,
    from passable_roles
    group by principal_arn, role_arn
),

told as (
    select
        reached.principal_arn,
        reached.is_trusting,
        reached.role_arn,
        {
            role_arn: reached.role_arn,
            is_trusting: reached.is_trusting,
            verdict: if(reached.is_allowed, 'allowed', 'conditional'),
            condition_id: if(reached.is_allowed, null, reached.condition_id)
        } as told_role,
    from reached
)

select
    principal_arn,
    count(*) as role_count,
    count(*) filter (where is_trusting) as trusting_count,
    list(told_role order by not is_trusting, role_arn)[1:20] as first_roles,
from told
group by principal_arn
order by principal_arn
