/*
description = "The statements of a chain that match an action, level by level: levels parted by /, statements by a comma."
grain = ["chain_id", "action"]
*/
with
chains as (
    select distinct
        chain_id,
        chain,
    from control_chains
),

levels as (
    select
        chain_id,
        generate_subscripts(string_split(chain, '/'), 1) as level,
        unnest(string_split(chain, '/')) as policies,
    from chains
),

members as (
    select
        chain_id,
        level,
        unnest(string_split(policies, '+')) as policy_id,
    from levels
),

chain_actions as (
    select
        levels.chain_id,
        levels.level,
        evaluated_actions.action,
    from levels
    cross join evaluated_actions
),

matched as (
    select
        members.chain_id,
        members.level,
        policy_actions.action,
        string_agg(policy_actions.statement_number::varchar, ',' order by policy_actions.statement_number) as statement_numbers,
    from members
    inner join policy_actions on members.policy_id = policy_actions.policy_id
    group by members.chain_id, members.level, policy_actions.action
)

select
    chain_actions.chain_id,
    chain_actions.action,
    string_agg(coalesce(matched.statement_numbers, ''), '/' order by chain_actions.level) as statement_numbers,
from chain_actions
left join matched
    on
        chain_actions.chain_id = matched.chain_id
        and chain_actions.level = matched.level
        and chain_actions.action = matched.action
group by chain_actions.chain_id, chain_actions.action
