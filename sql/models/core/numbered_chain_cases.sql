/*
description = "The case of each chain and action, by number."
grain = ["chain_id", "action"]
*/
select
    chain_cases.chain_id,
    chain_cases.action,
    chain_cases.asks_facts,
    cases.case_id,
from chain_cases
inner join cases on chain_cases.case_text = cases.case_text
