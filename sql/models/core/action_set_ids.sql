/*
description = "What an action set is known by wherever it stands: a number made of its actions."
grain = ["action_set_id"]
*/
select distinct
    action_set_id,
    stable_id,
from action_sets
