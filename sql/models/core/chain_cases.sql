/*
description = "The parts of a chain of SCPs or RCPs that match an action, level by level: levels parted by a slash."
grain = ["chain_id", "action"]
*/
with
chain_actions as (
    select
        chain_levels.chain_id,
        chain_levels.level,
        chain_levels.set_id,
        evaluated_actions.action,
    from chain_levels
    cross join evaluated_actions
)

select
    chain_actions.chain_id,
    chain_actions.action,
    string_agg(coalesce(set_cases.case_text, ''), '/' order by chain_actions.level) as case_text,
    bool_or(coalesce(set_cases.asks_facts, false)) as asks_facts,
from chain_actions
left join set_cases
    on chain_actions.set_id = set_cases.set_id and chain_actions.action = set_cases.action
group by chain_actions.chain_id, chain_actions.action
