/*
description = "Action patterns that match no action of the service reference."
grain = ["statement_id", "subject"]
*/
select
    statements.statement_id,
    statements.sid,
    actions.action_pattern as subject,
    statements.effect,
from actions
inner join statements on actions.statement_id = statements.statement_id
where actions.matched_action_count = 0
order by statements.statement_id, subject
