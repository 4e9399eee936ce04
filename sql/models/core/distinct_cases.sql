/*
description = "The distinct combinations of layers' cases, facts and action forms: one cell is decided for each."
grain = ["form_id", "facts_id", "identity_case", "boundary_case", "scp_case", "rcp_case", "environment_case"]
*/
select distinct
    form_id,
    facts_id,
    identity_case,
    boundary_case,
    scp_case,
    rcp_case,
    environment_case,
from cell_cases
