/*
description = "The distinct combinations of layers' cases, facts and action forms: one cell is decided for each."
grain = ["case_number"]
*/
with
combinations as (
    select distinct
        form_id,
        facts_id,
        identity_case,
        boundary_case,
        scp_case,
        rcp_case,
        account_environment_case,
        environment_case,
    from cell_cases
)

select
    (
        row_number()
            over (
                order by
                    form_id, facts_id, identity_case, boundary_case, scp_case, rcp_case,
                    account_environment_case, environment_case
            )
    )::integer as case_number,
    *,
from combinations
