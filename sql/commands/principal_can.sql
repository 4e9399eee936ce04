/*
description = "Every action for which a principal has a verdict, with the scopes of those that are allowed."
grain = ["principal_arn", "action", "resource_type", "resource_pattern"]
*/
with
verdicts as (
    select
        principal_arn,
        action,
        verdict,
        decided_by,
        is_incomplete,
    from access_matrix
    where principal_arn = $principal
),

scopes as (
    select
        action,
        resource_type,
        resource_pattern,
        verdict as scope_verdict,
        condition,
        except_resources,
        granted_by,
        limited_by,
        is_proven,
    from access
    where principal_arn = $principal
)

select
    verdicts.principal_arn,
    verdicts.action,
    verdicts.verdict,
    verdicts.decided_by,
    scopes.resource_type,
    scopes.resource_pattern,
    scopes.scope_verdict,
    scopes.condition,
    scopes.except_resources,
    scopes.granted_by,
    scopes.limited_by,
    scopes.is_proven,
    verdicts.is_incomplete,
from verdicts
left join scopes on verdicts.action = scopes.action
order by verdicts.action, scopes.resource_type, scopes.resource_pattern
