/*
description = "What the asked profiles may do, action by action: the cell, and its rows as one text that is equal for equal rows."
grain = ["profile_id", "action"]
*/
with
conditions as (
    select
        condition_id,
        formula,
    from residual_conditions
),

cells as (
    select
        profile_cells.profile_id,
        profile_cells.action,
        profile_cells.cell_id,
    from profile_cells
    semi join asked_profiles on profile_cells.profile_id = asked_profiles.profile_id
    semi join compared_actions on profile_cells.action = compared_actions.action
),

asked_cells as (
    select distinct cell_id
    from cells
),

contents as (
    select
        cell_access.cell_id,
        to_json(
            list(
                [
                    cell_access.resource_type,
                    cell_access.resource_pattern,
                    cell_access.except_resources,
                    conditions.formula
                ]
                order by cell_access.resource_type, cell_access.resource_pattern
            )
        )::varchar as content,
    from cell_access
    semi join asked_cells on cell_access.cell_id = asked_cells.cell_id
    inner join cell_verdicts on cell_access.cell_id = cell_verdicts.cell_id
    left join conditions on cell_access.condition_id = conditions.condition_id
    where is_granted(cell_verdicts.verdict)
    group by cell_access.cell_id
)

select
    cells.profile_id,
    cells.action,
    cells.cell_id,
    contents.content,
    md5(contents.content) as content_hash,
from cells
left join contents on cells.cell_id = contents.cell_id
