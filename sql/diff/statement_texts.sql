/*
description = "What statements say, with names of the policies that hold them, as they are attached to $targets, or anywhere if that is null."
grain = ["statement_id"]
*/
with
places as (
    select
        policy_id,
        list(distinct coalesce(policy_arn, policy_name) order by coalesce(policy_arn, policy_name)) as names,
        list(distinct source order by source) as sources,
    from attachments
    where $targets is null or list_contains($targets::varchar[], target_arn)
    group by policy_id
)

select
    statements.statement_id,
    statements.statement_index,
    statements.sid,
    statements.effect,
    statement_of(policies.document, statements.statement_index) as statement,
    places.names,
    places.sources,
from statements
semi join asked_statements on statements.statement_id = asked_statements.statement_id
inner join policies on statements.policy_id = policies.policy_id
left join places on statements.policy_id = places.policy_id
