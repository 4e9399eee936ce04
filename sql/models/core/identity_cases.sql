/*
description = "The statements of an identity set that match an action: the identity layer's case of that cell."
grain = ["identity_set_id", "action"]
*/
select
    identity_set_members.identity_set_id,
    policy_actions.action,
    string_agg(policy_actions.statement_number::varchar, ',' order by policy_actions.statement_number) as statement_numbers,
from identity_set_members
inner join policy_actions on identity_set_members.policy_id = policy_actions.policy_id
group by identity_set_members.identity_set_id, policy_actions.action
