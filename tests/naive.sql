-- Decides requests one by one, the obvious way: the oracle that a build's results are held against.
-- Reads the flattened relations of a lake and requests(principal_arn, action, resource), which is lent. Uses no macro
-- and no model of the project. The rules are those of docs/evaluation-rules.md for one account without resource-based
-- policies; decision is null where conditions or policy variables decide.
-- Whether a statement applies, and whether a layer allows, is 0 (no), 1 (nobody knows), 2 (yes).
with
-- Documents that speak of a principal. Each layer and level in required_layers needs an Allow of its own.
identity_targets as (
    select principal_arn, principal_arn as target_arn from principals
    union
    select user_arn, group_arn from memberships
),

bound_by_organization as (
    select principals.principal_arn, account_ancestors.level, account_ancestors.target_arn
    from principals
    inner join accounts on principals.account_id = accounts.account_id
    inner join account_ancestors on accounts.account_id = account_ancestors.account_id
    where not accounts.is_management_account and not principals.is_service_linked
),

documents as (
    select identity_targets.principal_arn, 'identity' as layer, 0 as level, attachments.policy_id
    from identity_targets
    inner join attachments on identity_targets.target_arn = attachments.target_arn
    where attachments.attachment_kind in ('inline', 'managed')
    union
    select target_arn, 'boundary', 0, policy_id from attachments where attachment_kind = 'boundary'
    union
    select bound_by_organization.principal_arn, attachments.attachment_kind, bound_by_organization.level,
        attachments.policy_id
    from bound_by_organization
    inner join attachments on bound_by_organization.target_arn = attachments.target_arn
    where attachments.attachment_kind in ('scp', 'rcp')
),

required_layers as (
    select principal_arn, 'identity' as layer, 0 as level from principals
    union
    select target_arn, 'boundary', 0 from attachments where attachment_kind = 'boundary'
    union
    -- A level for which the input has no SCP limits nothing.
    select principal_arn, 'scp', level from documents where layer = 'scp'
),

-- Patterns as regular expressions. Identity policies and boundaries complete short ARNs; wildcards in the first five
-- fields of a whole ARN stay in their field; a variable may stand for anything. What stands before the first wildcard
-- is compared first: it takes a tenth of the time.
action_expressions as (
    select distinct
        action_pattern,
        regexp_extract(lower(action_pattern), '^[^*?]*') as opening,
        replace(replace(regexp_escape(lower(action_pattern)), '\*', '.*'), '\?', '.') as expression,
    from actions
),

action_hits as (
    select asked.action, action_expressions.action_pattern
    from (select distinct action from requests) as asked
    inner join action_expressions on case
        when starts_with(lower(asked.action), action_expressions.opening)
            then regexp_full_match(lower(asked.action), action_expressions.expression, 's')
    end
),

readings as (
    select distinct
        resources.resource_pattern,
        resources.has_variable,
        documents.layer in ('identity', 'boundary') as completes,
    from documents
    inner join statements on documents.policy_id = statements.policy_id
    inner join resources on statements.statement_id = resources.statement_id
),

completed as (
    select
        *,
        if(has_variable, regexp_replace(resource_pattern, '\$\{[^}]*\}', '*', 'g'), resource_pattern) as plain,
        if(
            completes and starts_with(plain, 'arn:'),
            plain || repeat(':*', greatest(0, 6 - len(string_split(plain, ':')))),
            plain
        ) as whole,
        string_split(whole, ':') as fields,
    from readings
),

resource_expressions as (
    select
        resource_pattern,
        has_variable,
        completes,
        regexp_extract(whole, '^[^*?]*') as opening,
        case
            when fields[1] = 'arn' and len(fields) > 5 and not has_variable
                then replace(replace(regexp_escape(array_to_string(fields[:5], ':')), '\*', '[^:]*'), '\?', '[^:]')
                    || ':' || replace(replace(regexp_escape(array_to_string(fields[6:], ':')), '\*', '.*'), '\?', '.')
            else replace(replace(regexp_escape(whole), '\*', '.*'), '\?', '.')
        end as expression,
    from completed
),

resource_hits as (
    select
        asked.resource,
        resource_expressions.resource_pattern,
        resource_expressions.completes,
        if(resource_expressions.has_variable, 1, 2) as fits,
        resource_expressions.has_variable,
    from (select distinct resource from requests) as asked
    inner join resource_expressions on case
        when starts_with(asked.resource, resource_expressions.opening)
            then regexp_full_match(asked.resource, resource_expressions.expression, 's')
    end
),

-- Does the element Action or NotAction, Resource or NotResource, of a statement match? An empty list never does.
named_actions as (
    select distinct actions.statement_id, action_hits.action
    from actions
    inner join action_hits on actions.action_pattern = action_hits.action_pattern
),

matched_actions as (
    select named_actions.*
    from named_actions
    inner join statements on named_actions.statement_id = statements.statement_id
    where statements.action_element = 'Action'
    union all
    select statements.statement_id, asked.action
    from statements
    cross join (select distinct action from requests) as asked
    where
        statements.action_element = 'NotAction'
        and statements.statement_id in (select statement_id from actions)
        and (statements.statement_id, asked.action) not in (select (statement_id, action) from named_actions)
),

named_resources as (
    select
        resources.statement_id,
        resource_hits.completes,
        resource_hits.resource,
        max(resource_hits.fits) as fits,
    from resources
    inner join resource_hits
        on resources.resource_pattern = resource_hits.resource_pattern
        and resources.has_variable = resource_hits.has_variable
    group by all
),

fitting_resources as (
    select named_resources.*
    from named_resources
    inner join statements on named_resources.statement_id = statements.statement_id
    where statements.resource_element = 'Resource'
    union all
    select statements.statement_id, ways.completes, asked.resource, 2 - coalesce(named_resources.fits, 0) as fits
    from statements
    cross join (values (true), (false)) as ways (completes)
    cross join (select distinct resource from requests) as asked
    left join named_resources
        on statements.statement_id = named_resources.statement_id
        and ways.completes = named_resources.completes
        and asked.resource = named_resources.resource
    where
        statements.resource_element = 'NotResource'
        and statements.statement_id in (select statement_id from resources)
),

-- Every statement of every layer that may apply to a request.
applying as (
    select
        requests.*,
        documents.layer,
        documents.level,
        statements.effect,
        if(statements.condition_count > 0, 1, fitting_resources.fits) as applies,
    from requests
    inner join documents on requests.principal_arn = documents.principal_arn
    inner join statements on documents.policy_id = statements.policy_id
    inner join matched_actions
        on statements.statement_id = matched_actions.statement_id and requests.action = matched_actions.action
    inner join fitting_resources
        on statements.statement_id = fitting_resources.statement_id
        and requests.resource = fitting_resources.resource
        and (documents.layer in ('identity', 'boundary')) = fitting_resources.completes
    where
        fitting_resources.fits > 0
        and (
            documents.layer <> 'rcp'
            or requests.resource <> '*'
            and split_part(requests.action, ':', 1) in (select service from reference_services where is_rcp_supported)
        )
),

denials as (
    select principal_arn, action, resource, max(applies) as denies
    from applying
    where effect = 'Deny'
    group by all
),

layer_allows as (
    select principal_arn, action, resource, layer, level, max(applies) as allows
    from applying
    where effect = 'Allow'
    group by all
),

weakest_layers as (
    select requests.*, min(coalesce(layer_allows.allows, 0)) as allows
    from requests
    inner join required_layers on requests.principal_arn = required_layers.principal_arn
    left join layer_allows
        on requests.principal_arn = layer_allows.principal_arn
        and requests.action = layer_allows.action
        and requests.resource = layer_allows.resource
        and required_layers.layer = layer_allows.layer
        and required_layers.level = layer_allows.level
    group by all
)

select
    weakest_layers.principal_arn,
    weakest_layers.action,
    weakest_layers.resource,
    case
        when denials.denies = 2 then 'explicitDeny'
        when weakest_layers.allows = 0 then 'implicitDeny'
        when weakest_layers.allows = 2 and coalesce(denials.denies, 0) = 0 then 'allowed'
    end as decision,
from weakest_layers
left join denials
    on weakest_layers.principal_arn = denials.principal_arn
    and weakest_layers.action = denials.action
    and weakest_layers.resource = denials.resource
