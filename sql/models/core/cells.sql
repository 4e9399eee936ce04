/*
description = "The cells of each profile by the cases of its layers; a null case means that no statement of the layer matches."
grain = ["profile_id", "action"]
*/
with
subjects as (
    select
        profiles.*,
        evaluated_actions.action,
        action_signatures.signature_id,
    from profiles
    cross join evaluated_actions
    inner join action_signatures on evaluated_actions.action = action_signatures.action
),

numbered_identity_cases as (
    select
        identity_cases.identity_set_id,
        identity_cases.action,
        cases.case_id,
    from identity_cases
    inner join cases on identity_cases.statement_numbers = cases.statement_numbers
),

numbered_boundary_cases as (
    select
        boundary_cases.policy_id,
        boundary_cases.action,
        cases.case_id,
    from boundary_cases
    inner join cases on boundary_cases.statement_numbers = cases.statement_numbers
),

numbered_control_cases as (
    select
        control_cases.chain_id,
        control_cases.action,
        cases.case_id,
    from control_cases
    inner join cases on control_cases.statement_numbers = cases.statement_numbers
)

select
    subjects.profile_id,
    subjects.action,
    subjects.signature_id,
    identity.case_id as identity_case_id,
    boundary.case_id as boundary_case_id,
    scps.case_id as scp_case_id,
    rcps.case_id as rcp_case_id,
from subjects
left join numbered_identity_cases as identity
    on subjects.identity_set_id = identity.identity_set_id and subjects.action = identity.action
left join numbered_boundary_cases as boundary
    on subjects.boundary_policy_id = boundary.policy_id and subjects.action = boundary.action
left join numbered_control_cases as scps
    on subjects.scp_chain_id = scps.chain_id and subjects.action = scps.action
left join numbered_control_cases as rcps
    on subjects.rcp_chain_id = rcps.chain_id and subjects.action = rcps.action
where
    identity.case_id is not null
    or subjects.environment_id is not null
