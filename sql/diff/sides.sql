/*
description = "One side of the rows: the scope that is shown, and the statements that count for it and the scopes beside it."
grain = ["row_id"]
*/
with
asked_cells as (
    select distinct cell_id
    from asked
),

numbered as (
    select
        cell_access.*,
        row_number() over (
            partition by cell_access.cell_id
            order by cell_access.resource_type, cell_access.resource_pattern
        ) - 1 as place,
    from cell_access
    semi join asked_cells on cell_access.cell_id = asked_cells.cell_id
),

asked_lists as (
    select distinct
        cell_id,
        places,
    from asked
),

asked_places as (
    select
        cell_id,
        places,
        unnest(places) as place,
    from asked_lists
),

beside as (
    select
        asked_places.cell_id,
        asked_places.places,
        list_sort(list_distinct(flatten(list(numbered.granted_by_numbers)))) as granted_by_numbers,
        list_sort(list_distinct(flatten(list(numbered.limited_by_numbers)))) as limited_by_numbers,
        list_sort(list(distinct coalesce(numbered.condition_id, ''))) as condition_ids,
    from asked_places
    inner join numbered
        on asked_places.cell_id = numbered.cell_id and asked_places.place = numbered.place
    group by
        asked_places.cell_id,
        asked_places.places
),

counted as (
    select
        asked.row_id,
        asked.principal_arn,
        asked.account_id,
        asked.action,
        shown.resource_pattern,
        shown.except_resources,
        shown.verdict,
        shown.condition_id,
        cell_verdicts.verdict as action_verdict,
        coalesce(beside.granted_by_numbers, []) as granted_by_numbers,
        beside.condition_ids,
        -- Where nothing is left, the statements that decided took it away; a mere lack of grants has none.
        case
            when beside.cell_id is not null then beside.limited_by_numbers
            when cell_verdicts.verdict in ('denied', 'blocked') then cell_verdicts.decided_by_numbers
            else []
        end as limited_by_numbers,
    from asked
    left join cell_verdicts on asked.cell_id = cell_verdicts.cell_id
    left join numbered as shown on asked.cell_id = shown.cell_id and asked.places[1] = shown.place
    left join beside on asked.cell_id = beside.cell_id and asked.places = beside.places
)

select
    counted.row_id,
    own_text(counted.resource_pattern, counted.account_id) as resource_pattern,
    own_text(counted.except_resources, counted.account_id) as except_resources,
    case
        when counted.verdict is not null then counted.verdict
        when counted.action_verdict in ('denied', 'blocked') then counted.action_verdict
        else 'none'
    end as verdict,
    own_text(residual_conditions.condition, counted.account_id) as condition,
    counted.condition_ids,
    statement_ids_of(
        counted.granted_by_numbers, own.granting, account.granting, sets_of_action.action_set_ids
    ) as granted_by,
    statement_ids_of(
        counted.limited_by_numbers, own.limiting, account.limiting, sets_of_action.action_set_ids
    ) as limited_by,
    -- Where nothing is granted, statements that would grant may stand there all the same, and others take it away.
    case
        when len(counted.granted_by_numbers) > 0 then []
        else list_sort(
            list_distinct(ids_matching(list_concat(own.granting, account.granting), sets_of_action.action_set_ids))
        )
    end as standing,
from counted
left join residual_conditions on counted.condition_id = residual_conditions.condition_id
left join sets_of_action on counted.action = sets_of_action.action
left join principal_reasons as own on counted.principal_arn = own.principal_arn
left join account_reasons as account on counted.account_id = account.account_id
