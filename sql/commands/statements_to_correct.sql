/*
description = "The texts of the asked statements."
grain = ["statement_id"]
*/
select
    statements.statement_id,
    statement_of(policies.document, statements.statement_index) as statement,
from statements
semi join asked_statements on statements.statement_id = asked_statements.statement_id
inner join policies on statements.policy_id = policies.policy_id
order by statements.statement_id
