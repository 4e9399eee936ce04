/*
description = "The verdicts of one snapshot, read from its files: how many cells of the matrix have each and how many there are, and how old its exports are. Where nobody can do anything there is one row without a verdict."
grain = ["data_as_of", "verdict"]
*/
with
profiles as (
    select
        profile_id,
        count(*) as principal_count,
    from read_parquet($principal_profiles)
    group by profile_id
),

bit_blocks as (
    select
        block_id,
        digits::bit as bits,
    from read_parquet($blocks)
),

verdicts as (
    select
        cells.verdict,
        sum(profiles.principal_count)::bigint as cell_count,
    from read_parquet($profile_cases) as profile_cases
    inner join profiles on profile_cases.profile_id = profiles.profile_id
    inner join bit_blocks as blocks on profile_cases.block_id = blocks.block_id
    inner join read_parquet($action_forms) as action_forms
        on
            group_of(blocks.block_id) = group_of(action_forms.form_id)
            and holds_action(blocks.bits, action_forms.action_number)
    semi join read_parquet($evaluated_actions) as evaluated_actions on action_forms.action = evaluated_actions.action
    inner join read_parquet($case_cells) as case_cells
        on profile_cases.case_id = case_cells.case_id and action_forms.form_id = case_cells.form_id
    inner join read_parquet($cell_verdicts) as cells on case_cells.cell_id = cells.cell_id
    where cells.verdict != 'none'
    group by cells.verdict
),

exported as (
    select max(data_as_of) as data_as_of
    from read_parquet($accounts)
),

asked as (
    select count(*) as action_count
    from read_parquet($evaluated_actions)
),

matrix as (
    select any_value(asked.action_count) * count(principals.principal_arn) as matrix_cell_count
    from asked
    left join read_parquet($principal_profiles) as principals on true
)

select
    verdicts.verdict,
    verdicts.cell_count,
    matrix.matrix_cell_count,
    exported.data_as_of,
from exported
cross join matrix
left join verdicts on true
order by verdicts.verdict
