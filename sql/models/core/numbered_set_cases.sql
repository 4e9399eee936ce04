/*
description = "The case of each set and action, by number."
grain = ["set_id", "action"]
*/
select
    set_cases.set_id,
    set_cases.action,
    set_cases.asks_facts,
    cases.case_id,
from set_cases
inner join cases on set_cases.case_text = cases.case_text
