/*
description = "What each cell comes to, cells without any grant left out. Of one that is denied or blocked although something is granted, lacking_types are the resource types that every call needs and that are not."
grain = ["cell_id"]
*/
with
lacking as (
    select
        required_types.cell_id,
        list_sort(list(required_types.resource_type)) as lacking_types,
    from required_types
    semi join cell_access on required_types.cell_id = cell_access.cell_id
    anti join cell_access as granted
        on
            required_types.cell_id = granted.cell_id
            and required_types.resource_type = granted.resource_type
    group by required_types.cell_id
)

select
    cell_verdicts.cell_id,
    cell_verdicts.verdict,
    cell_verdicts.layer,
    cell_verdicts.decided_by_numbers,
    lacking.lacking_types,
from cell_verdicts
left join lacking
    on
        cell_verdicts.cell_id = lacking.cell_id
        and cell_verdicts.verdict in ('denied', 'blocked')
where cell_verdicts.verdict != 'none'
order by cell_verdicts.cell_id
