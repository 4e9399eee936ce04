/*
description = "Distinct documents with where they are attached."
grain = ["policy_id"]
*/
with
marked as (
    select
        *,
        starts_with(target_arn, 'policy/') as is_loose,
        [starts_with(target_arn, 'policy/')::varchar, attachment_kind, target_arn] as place,
    from attachments
),

names as (
    select
        policy_id,
        policy_name,
        bool_and(is_loose) as is_loose,
    from marked
    where policy_name != ''
    group by policy_id, policy_name
),

named as (
    select
        policy_id,
        list(policy_name order by is_loose, policy_name) as policy_names,
    from names
    group by policy_id
),

places as (
    select
        policy_id,
        count(distinct place) as place_count,
        list(distinct place order by place)[1:50] as first_places,
        list(distinct source order by source)[1:20] as sources,
    from marked
    group by policy_id
)

select
    policies.policy_id,
    policies.document,
    named.policy_names,
    coalesce(places.place_count, 0) as place_count,
    places.first_places,
    places.sources,
from policies
left join named on policies.policy_id = named.policy_id
left join places on policies.policy_id = places.policy_id
order by policies.policy_id
