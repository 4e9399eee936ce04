/*
description = "The layers' cases of each profile and action for which some policy speaks. Null: no such layer; 0: no statement of it matches."
grain = ["profile_id", "action"]
*/
with
subjects as (
    select
        profiles.*,
        action_forms.action,
        action_forms.form_id,
    from profiles
    cross join action_forms
),

-- A set without parts has no cases.
joined as (
    select
        subjects.profile_id,
        subjects.action,
        subjects.form_id,
        case
            when
                identity.asks_facts or boundary.asks_facts or scps.asks_facts or rcps.asks_facts
                or shared.asks_facts or named.asks_facts
                then subjects.facts_id
            else subjects.base_facts_id
        end as facts_id,
        subjects.has_boundary,
        identity.case_id as identity_case,
        boundary.case_id as boundary_case,
        scps.case_id as scp_case,
        rcps.case_id as rcp_case,
        shared.case_id as account_environment_case,
        named.case_id as environment_case,
    from subjects
    left join numbered_set_cases as identity
        on subjects.identity_set_id = identity.set_id and subjects.action = identity.action
    left join numbered_set_cases as boundary
        on subjects.boundary_set_id = boundary.set_id and subjects.action = boundary.action
    left join numbered_chain_cases as scps
        on subjects.scp_chain_id = scps.chain_id and subjects.action = scps.action
    left join numbered_chain_cases as rcps
        on subjects.rcp_chain_id = rcps.chain_id and subjects.action = rcps.action
    left join numbered_set_cases as shared
        on subjects.account_environment_set_id = shared.set_id and subjects.action = shared.action
    left join numbered_set_cases as named
        on subjects.environment_set_id = named.set_id and subjects.action = named.action
)

select
    profile_id,
    action,
    form_id,
    facts_id,
    coalesce(identity_case, 0) as identity_case,
    case when has_boundary then coalesce(boundary_case, 0) end as boundary_case,
    scp_case,
    rcp_case,
    coalesce(account_environment_case, 0) as account_environment_case,
    coalesce(environment_case, 0) as environment_case,
from joined
where
    identity_case is not null
    or account_environment_case is not null
    or environment_case is not null
