/*
description = "The rows of cell_access with their conditions read again under a scenario; what it excludes is left out."
grain = ["cell_id", "resource_type", "resource_pattern"]
*/
select
    stored.cell_id,
    stored.resource_type,
    stored.resource_pattern,
    coalesce(scenario_conditions.verdict, stored.verdict) as verdict,
    scenario_conditions.remaining_id as condition_id,
    stored.except_resources,
    stored.granted_by_numbers,
    stored.limited_by_numbers,
    -- The stored witness need not be a request of the scenario.
    null::bigint as witness_id,
    (stored.is_proven or coalesce(scenario_conditions.verdict, stored.verdict) = 'allowed')
    -- Whose a bucket is no scenario tells.
    and (
        bucket_named(stored.resource_pattern) = ''
        or bucket_named(stored.resource_pattern) in (select bucket_named(bucket_owners.resource_arn) from bucket_owners)
    ) as is_proven,
from stored_cell_access as stored
left join scenario_conditions on stored.condition_id = scenario_conditions.condition_id
where coalesce(scenario_conditions.verdict, stored.verdict) != 'denied'
