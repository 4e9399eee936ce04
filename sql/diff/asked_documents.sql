/*
description = "The documents of asked policies."
grain = ["policy_id"]
*/
select
    policies.policy_id,
    policies.document,
from policies
semi join asked_policies on policies.policy_id = asked_policies.policy_id
order by policies.policy_id
