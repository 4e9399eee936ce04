/*
description = "Conditions on keys that actions of the statement can never carry, such as resource tags on List actions: tags cannot restrict them."
grain = ["statement_id", "condition_key"]

[parameters.key]
description = "Pattern of condition keys; *resourcetag* for tag conditions"
kind = "condition_keys"
default = "*"
*/
with
-- Global keys are in every request, but for those about tags, and those of VPC endpoints that some services know (KEYS);
-- keys that nobody knows may be anywhere.
tested as (
    select
        statement_id,
        lower(condition_key) as key_name,
        min(condition_key) as condition_key,
    from conditions
    where
        is_known_key
        and lower(condition_key) glob glob_of($key)
        and (
            not starts_with(lower(condition_key), 'aws:')
            or starts_with(lower(condition_key), 'aws:resourcetag/')
            or starts_with(lower(condition_key), 'aws:requesttag/')
            or lower(condition_key) = 'aws:tagkeys'
            or lower(condition_key) = 'aws:sourcevpcarn'
            or starts_with(lower(condition_key), 'aws:vpce')
        )
    group by statement_id, key_name
),

pairs as (
    select
        tested.statement_id,
        tested.condition_key,
        statement_actions.action,
        count(action_keys.action) > 0 as is_carried,
    from tested
    inner join statement_actions on tested.statement_id = statement_actions.statement_id
    inner join reference_actions on statement_actions.action = reference_actions.action
    left join action_keys
        on
            statement_actions.action = action_keys.action
            and stands_for(action_keys.key_start, action_keys.is_template, tested.key_name)
    group by all
)

select
    pairs.statement_id,
    pairs.condition_key,
    statements.effect,
    statements.sid,
    count(*) filter (where pairs.is_carried) as actions_with_key,
    count(*) filter (where not pairs.is_carried) as actions_without_key,
    list(pairs.action order by pairs.action) filter (where not pairs.is_carried) as actions,
    any_value(policy_places.targets) as targets,
    any_value(policy_places.sources) as sources,
from pairs
inner join statements on pairs.statement_id = statements.statement_id
left join policy_places on statements.policy_id = policy_places.policy_id
group by pairs.statement_id, pairs.condition_key, statements.effect, statements.sid
having actions_without_key > 0
order by actions_with_key > 0, pairs.statement_id, pairs.condition_key
