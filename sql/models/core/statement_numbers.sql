/*
description = "Statements that match an evaluated action, with a small number each."
grain = ["statement_id"]
*/
select
    statements.statement_id,
    statements.policy_id,
    (row_number() over (order by statements.statement_id))::integer as statement_number,
from statements
where statements.statement_id in (select statement_id from statement_actions)
