/*
description = "The statements that count for a principal, with the layer and the number of what they say; SCPs, RCPs and resource policies of its account included."
grain = ["principal_arn", "statement_id", "layer"]
*/
with
own as (
    select
        principal_policies.principal_arn,
        principal_profiles.account_id,
        principal_policies.policy_id,
        case when principal_policies.attachment_kind = 'boundary' then 'boundary' else 'identity' end as layer,
    from principal_policies
    inner join principal_profiles on principal_policies.principal_arn = principal_profiles.principal_arn
),

controls as (
    select
        principal_profiles.principal_arn,
        principal_profiles.account_id,
        account_controls.policy_id,
        account_controls.attachment_kind as layer,
    from principal_profiles
    inner join account_controls on principal_profiles.account_id = account_controls.account_id
),

resource_based as (
    select
        principal_profiles.principal_arn,
        principal_profiles.account_id,
        environment_entries.owner_account_id,
        environment_entries.policy_id,
        'resource' as layer,
    from principal_profiles
    inner join environment_entries
        on
            principal_profiles.account_id = environment_entries.account_id
            and environment_entries.principal_arn in ('', principal_profiles.principal_arn)
),

-- The RCPs of the owners of resources whose policies speak of the principal.
owners_controls as (
    select distinct
        resource_based.principal_arn,
        resource_based.account_id,
        account_controls.policy_id,
        account_controls.attachment_kind as layer,
    from resource_based
    inner join account_controls on resource_based.owner_account_id = account_controls.account_id
    where account_controls.attachment_kind = 'rcp'
),

combined as (
    select * from own
    union
    select * from controls
    union
    select * from owners_controls
    union
    select * exclude (owner_account_id) from resource_based
)

select distinct
    combined.principal_arn,
    account_statements.statement_id,
    combined.layer,
    account_statements.statement_number,
    account_statements.action_set_id,
from combined
inner join account_statements
    on
        coalesce(combined.account_id, '') = account_statements.account_id
        and combined.policy_id = account_statements.policy_id
