/*
description = "The actions that are decided: the evaluated ones, and what the reference says that these depend on."
grain = ["action"]
*/
with
dependents as (
    select distinct reference_actions.action
    from reference_dependent_actions
    inner join evaluated_actions on reference_dependent_actions.action = evaluated_actions.action
    inner join reference_actions on reference_dependent_actions.dependent_action = reference_actions.action
    anti join evaluated_actions as evaluated on reference_actions.action = evaluated.action
)

select
    action,
    true as is_evaluated,
from evaluated_actions
union all
select
    action,
    false as is_evaluated,
from dependents
