/*
description = "Which numbered statement of which document matches which evaluated action."
grain = ["statement_number", "action"]
*/
select
    statement_numbers.policy_id,
    statement_numbers.statement_number,
    statement_actions.action,
from statement_actions
inner join statement_numbers on statement_actions.statement_id = statement_numbers.statement_id
