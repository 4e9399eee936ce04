/*
description = "The rows of found_rows with the place of their policy: where it counts for the principal or the resource, else the first of its places, loose documents last."
grain = ["row_number"]
*/
with
found as (
    select
        row_number,
        principal_arn,
        resource_arn,
        attached_to,
        statement_id,
        coalesce(policy_id, split_part(statement_id, '#', 1)) as policy_id,
        try_cast(split_part(statement_id, '#', 2) as integer) as statement_index,
    from found_rows
),

places as (
    select
        policy_id,
        target_arn,
        account_id,
        attachment_kind,
        source,
        policy_arn,
        policy_name,
        -- What people call the policy: inline ones and those without a name by where they are.
        case
            when policy_arn is not null then policy_arn
            when starts_with(target_arn, 'policy/') then target_arn
            else target_arn || ' ' || coalesce(nullif(policy_name, ''), attachment_kind || ' policy')
        end as label,
        [starts_with(target_arn, 'policy/')::varchar, target_arn, attachment_kind, policy_name] as rank,
    from attachments
    semi join found on attachments.policy_id = found.policy_id
),

-- The group or the principal itself that brings the policy to the principal.
brought as (
    select
        found.row_number,
        min(principal_policies.via_arn) as via_arn,
    from found
    inner join principal_policies
        on
            found.principal_arn = principal_policies.principal_arn
            and found.policy_id = principal_policies.policy_id
    group by found.row_number
),

wanted as (
    select
        found.row_number,
        found.policy_id,
        unnest([found.attached_to, brought.via_arn, found.principal_arn, found.resource_arn]) as target_arn,
        unnest([1, 2, 3, 4]) as preference,
    from found
    left join brought on found.row_number = brought.row_number
),

own_places as (
    select
        wanted.row_number,
        min_by(places, [wanted.preference::varchar, array_to_string(places.rank, ' ')]) as place,
    from wanted
    inner join places on wanted.policy_id = places.policy_id and wanted.target_arn = places.target_arn
    group by wanted.row_number
),

first_places as (
    select
        policy_id,
        min_by(places, rank) as place,
        count(distinct target_arn) as attachment_count,
    from places
    group by policy_id
),

texts as (
    select
        policies.policy_id,
        policies.document,
    from policies
    semi join found on policies.policy_id = found.policy_id
),

sids as (
    select
        statements.policy_id,
        statements.sid,
        count(*) as sid_count,
    from statements
    semi join found on statements.policy_id = found.policy_id
    where statements.sid is not null
    group by statements.policy_id, statements.sid
)

select
    found.row_number,
    found.policy_id,
    statements.sid,
    found.statement_index,
    -- What tells a statement from others of its policy and stays when those change.
    case
        when found.statement_id is null then null
        when sids.sid_count = 1 then 'sid ' || statements.sid
        else md5(statement_of(texts.document, found.statement_index))
    end as statement_key,
    coalesce(own_places.place, first_places.place).policy_name as policy_name,
    coalesce(own_places.place, first_places.place).policy_arn as policy_arn,
    coalesce(own_places.place, first_places.place).label as label,
    coalesce(own_places.place, first_places.place).attachment_kind as attachment_kind,
    coalesce(own_places.place, first_places.place).target_arn as attached_to,
    coalesce(own_places.place, first_places.place).account_id as account_id,
    coalesce(own_places.place, first_places.place).source as source,
    first_places.attachment_count,
from found
left join own_places on found.row_number = own_places.row_number
left join first_places on found.policy_id = first_places.policy_id
left join statements on found.statement_id = statements.statement_id
left join texts on found.policy_id = texts.policy_id
left join sids on statements.policy_id = sids.policy_id and statements.sid = sids.sid
order by found.row_number
