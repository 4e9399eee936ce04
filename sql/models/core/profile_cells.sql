/*
description = "Which cell answers for each profile and action."
grain = ["profile_id", "action"]
*/
with
answered as (
    select
        distinct_cases.*,
        decided_cases.cell_id,
    from distinct_cases
    inner join decided_cases on distinct_cases.case_number = decided_cases.case_number
)

select
    cell_cases.profile_id,
    cell_cases.action,
    answered.cell_id,
from cell_cases
inner join answered
    on
        cell_cases.form_id = answered.form_id
        and cell_cases.facts_id = answered.facts_id
        and cell_cases.identity_case = answered.identity_case
        and cell_cases.boundary_case is not distinct from answered.boundary_case
        and cell_cases.scp_case is not distinct from answered.scp_case
        and cell_cases.rcp_case is not distinct from answered.rcp_case
        and cell_cases.account_environment_case = answered.account_environment_case
        and cell_cases.environment_case = answered.environment_case
