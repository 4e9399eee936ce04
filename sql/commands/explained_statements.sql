/*
description = "Each layer of a principal, and in it each statement whose actions match; a layer without one has a row of its own. The layer endpoint is of calls through that VPC endpoint alone."
grain = ["layer", "level", "target_arn", "policy_name", "statement_id"]
*/
with
caller as (
    select
        principal_arn,
        account_id,
        boundary_policy_id,
        is_service_linked,
        coalesce(nullif(split_part($resource, ':', 5), ''), account_id) as owner_account_id,
    from principals
    where principal_arn = $principal
),

matching as (
    select statement_id
    from statement_actions
    where action = $action
),

identity_policies as (
    select
        case when attachment_kind = 'boundary' then 'boundary' else 'identity' end as layer,
        null::integer as level,
        via_arn as target_arn,
        null::varchar as target_name,
        policy_id,
        policy_name,
        attachment_kind,
    from principal_policies
    where principal_arn = $principal
),

rcp_services as (
    select service
    from reference_services
    where is_rcp_supported
),

-- SCPs and RCPs touch neither the management account, which account_controls leaves out, nor service-linked roles; RCPs
-- are those of the resource's account, and reach some services only.
control_policies as (
    select
        account_controls.attachment_kind as layer,
        account_controls.level,
        account_ancestors.target_arn,
        account_ancestors.target_name,
        attachments.policy_id,
        attachments.policy_name,
        account_controls.attachment_kind,
    from caller
    inner join account_controls
        on
            account_controls.account_id = case account_controls.attachment_kind
                when 'rcp' then caller.owner_account_id
                else caller.account_id
            end
    inner join account_ancestors
        on
            account_controls.account_id = account_ancestors.account_id
            and account_controls.level = account_ancestors.level
    left join attachments
        on
            account_ancestors.target_arn = attachments.target_arn
            and account_controls.attachment_kind = attachments.attachment_kind
            and account_controls.policy_id = attachments.policy_id
    left join rcp_services on split_part($action, ':', 1) = rcp_services.service
    where
        not caller.is_service_linked
        and (account_controls.attachment_kind = 'scp' or rcp_services.service is not null)
),

-- The policy of a resource is also that of what lies in it, of a model package group that of its packages.
resource_policies as (
    select distinct
        'resource' as layer,
        null::integer as level,
        environment_entries.resource_arn as target_arn,
        null::varchar as target_name,
        environment_entries.policy_id,
        '' as policy_name,
        attachments.attachment_kind,
    from caller
    inner join environment_entries on caller.account_id = environment_entries.account_id
    inner join matching on environment_entries.statement_id = matching.statement_id
    inner join attachments
        on
            environment_entries.resource_arn = attachments.target_arn
            and environment_entries.policy_id = attachments.policy_id
            and attachments.attachment_kind in ('resource', 'trust')
    where
        environment_entries.principal_arn in ('', caller.principal_arn)
        and (
            $resource is null
            or environment_entries.resource_arn = $resource
            or starts_with($resource, environment_entries.resource_arn || '/')
            or starts_with(
                $resource,
                replace(environment_entries.resource_arn, ':model-package-group/', ':model-package/') || '/'
            )
        )
),

-- Calls through one of these endpoints, or through $endpoint alone unless it is null, must be allowed by its policy too.
endpoint_policies as (
    select
        'endpoint' as layer,
        null::integer as level,
        target_arn,
        null::varchar as target_name,
        policy_id,
        policy_name,
        attachment_kind,
    from attachments
    where
        attachment_kind = 'endpoint'
        and ($endpoint is null or split_part(target_arn, '/', -1) = $endpoint)
        -- A loose document stands by itself.
        and (select account_id from caller) is not null
),

present as (
    select * from identity_policies
    union
    select * from control_policies
    union all
    select * from resource_policies
    union all
    select * from endpoint_policies
),

-- What is not there is worth a row too.
expected as (
    select
        layers.layer,
        layers.remark,
    from (
        values
        ('identity', 'no identity policy'),
        ('boundary', 'no permissions boundary'),
        ('scp', 'no SCP acts on this principal'),
        ('rcp', 'no RCP acts on this account and service'),
        ('resource', 'no resource policy speaks of this principal and action'),
        ('endpoint', 'no policy of a VPC endpoint that the call can come through is in the inputs')
    ) as layers (layer, remark)
),

policies_by_layer as (
    select
        expected.layer,
        present.level,
        present.target_arn,
        present.target_name,
        present.policy_id,
        present.policy_name,
        present.attachment_kind,
        case when present.layer is null then expected.remark end as remark,
    from expected
    left join present on expected.layer = present.layer
),

matched as (
    select
        statements.policy_id,
        statements.statement_id,
        statements.statement_index,
        statements.effect,
        statements.sid,
    from statements
    inner join matching on statements.statement_id = matching.statement_id
),

reasons as (
    select
        flatten(list(granted_by)) as granting,
        flatten(list(limited_by)) as limiting,
    from access
    where
        principal_arn = $principal
        and action = $action
),

deciding as (
    select decided_by
    from access_matrix
    where
        principal_arn = $principal
        and action = $action
)

select
    $principal as principal_arn,
    'statement' as part,
    policies_by_layer.layer,
    policies_by_layer.level,
    policies_by_layer.target_arn,
    policies_by_layer.target_name,
    policies_by_layer.policy_name,
    attachments.policy_arn,
    matched.effect,
    matched.sid,
    matched.statement_id,
    case
        when list_contains(reasons.granting, matched.statement_id) then 'grants'
        when list_contains(reasons.limiting, matched.statement_id) then 'limits'
        when list_contains(deciding.decided_by, matched.statement_id) then 'decides'
    end as counts_as,
    coalesce(
        policies_by_layer.remark,
        case when matched.statement_id is null then 'no statement matches the action' end
    ) as remark,
    policies_by_layer.attachment_kind,
    policies_by_layer.policy_id,
    matched.statement_index,
    json_type(policies.document, '$.Statement') = 'ARRAY' as is_listed,
    attachments.source,
    statement_of(policies.document, matched.statement_index) as statement,
from policies_by_layer
left join matched on policies_by_layer.policy_id = matched.policy_id
left join attachments
    on
        policies_by_layer.target_arn = attachments.target_arn
        and policies_by_layer.policy_id = attachments.policy_id
        and policies_by_layer.policy_name = attachments.policy_name
        and policies_by_layer.attachment_kind = attachments.attachment_kind
left join policies
    on
        policies_by_layer.policy_id = policies.policy_id
        and matched.statement_id is not null
left join reasons on true
left join deciding on true
order by
    list_position(['identity', 'boundary', 'scp', 'rcp', 'resource', 'endpoint'], policies_by_layer.layer),
    policies_by_layer.level,
    policies_by_layer.target_arn,
    policies_by_layer.policy_name,
    matched.statement_index
