/*
description = "The distinct conditions, each with the witness of one principal and action that have it: the first of the cell's first case."
grain = ["condition_id"]
*/
with
example_cells as (
    select distinct cell_id
    from residual_formulas
),

-- Actions that others need besides have cells too, but are not in access: evaluated actions come first.
forms as (
    select
        action_forms.form_id,
        bool_or(evaluated_actions.action is not null) as is_shown,
    from action_forms
    left join evaluated_actions on action_forms.action = evaluated_actions.action
    group by action_forms.form_id
),

example_cases as (
    select
        case_cells.cell_id,
        min((not forms.is_shown, case_cells.case_id, case_cells.form_id)) as first_case,
    from case_cells
    inner join example_cells on case_cells.cell_id = example_cells.cell_id
    inner join forms on case_cells.form_id = forms.form_id
    group by case_cells.cell_id
),

asked as (
    select
        example_cases.cell_id,
        min((evaluated_actions.action is null, profile_cases.profile_id, action_forms.action)) as first_ask,
    from example_cases
    inner join profile_cases on example_cases.first_case[2] = profile_cases.case_id
    inner join blocks on profile_cases.block_id = blocks.block_id
    inner join action_forms
        on
            example_cases.first_case[3] = action_forms.form_id
            and holds_action(blocks.digits::bit, action_forms.action_number)
    left join evaluated_actions on action_forms.action = evaluated_actions.action
    group by example_cases.cell_id
),

callers as (
    select
        asked.cell_id,
        min((principal_profiles.principal_arn, principal_profiles.account_id)) as caller,
        any_value(asked.first_ask[3]) as action,
        not any_value(asked.first_ask[1]) as is_shown,
    from asked
    inner join principal_profiles on asked.first_ask[2] = principal_profiles.profile_id
    group by asked.cell_id
)

select
    residual_formulas.condition_id,
    residual_formulas.condition,
    residual_formulas.formula,
    residual_formulas.condition_keys,
    witness_line(
        callers.caller[1],
        witnesses.session_arn,
        callers.action,
        witnesses.request,
        callers.caller[2]
    ) as witness,
    replace(own_text(residual_formulas.smallest_change, callers.caller[2]), '{principal}', callers.caller[1])
        as smallest_change,
    callers.is_shown,
from residual_formulas
left join witnesses on residual_formulas.witness_id = witnesses.witness_id
inner join callers on residual_formulas.cell_id = callers.cell_id
order by residual_formulas.condition_id
