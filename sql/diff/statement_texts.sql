/*
description = "What statements say, with names of the policies that hold them."
grain = ["statement_id"]
*/
select
    statements.statement_id,
    statements.statement_index,
    statements.sid,
    statements.effect,
    statement_of(policies.document, statements.statement_index) as statement,
    policy_places.policies as names,
    policy_places.sources,
from statements
semi join asked_statements on statements.statement_id = asked_statements.statement_id
inner join policies on statements.policy_id = policies.policy_id
left join policy_places on statements.policy_id = policy_places.policy_id
