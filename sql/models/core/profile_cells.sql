/*
description = "Which cell answers for each profile and action."
grain = ["profile_id", "action"]
*/
select
    cell_cases.profile_id,
    cell_cases.action,
    decided_cases.cell_id,
from cell_cases
inner join decided_cases
    on
        cell_cases.form_id = decided_cases.form_id
        and cell_cases.facts_id = decided_cases.facts_id
        and cell_cases.identity_case = decided_cases.identity_case
        and cell_cases.boundary_case is not distinct from decided_cases.boundary_case
        and cell_cases.scp_case is not distinct from decided_cases.scp_case
        and cell_cases.rcp_case is not distinct from decided_cases.rcp_case
        and cell_cases.environment_case = decided_cases.environment_case
