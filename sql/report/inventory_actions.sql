/*
description = "The evaluated actions that take each type of the known resources, by their numbers, as text."
grain = ["type_name"]
*/
with
types as (
    select distinct
        service,
        resource_type,
    from inventory
)

select
    types.service || ' ' || types.resource_type as type_name,
    string_agg(action_numbers.number, ',' order by action_numbers.number) as action_numbers,
from types
inner join reference_action_resource_types as taken on types.resource_type = taken.resource_type
inner join action_numbers on taken.action = action_numbers.action and split_part(taken.action, ':', 1) = types.service
group by types.service, types.resource_type
order by type_name
