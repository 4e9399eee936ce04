/*
description = "What each statement number says."
grain = ["statement_number"]
*/
select
    statement_number,
    any_value(content) as content,
from account_statements
group by statement_number
