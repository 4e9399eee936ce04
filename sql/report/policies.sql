/*
description = "Distinct documents with where they are attached."
grain = ["policy_id"]
*/
with
places as (
    select
        policy_id,
        list(distinct policy_name order by policy_name) filter (where policy_name != '') as policy_names,
        count(distinct [target_arn, attachment_kind]) as place_count,
        list(distinct [attachment_kind, target_arn] order by [attachment_kind, target_arn])[1:50] as first_places,
        list(distinct source order by source)[1:20] as sources,
    from attachments
    group by policy_id
)

select
    policies.policy_id,
    policies.document,
    policies.statement_count,
    places.policy_names,
    coalesce(places.place_count, 0) as place_count,
    places.first_places,
    places.sources,
from policies
left join places on policies.policy_id = places.policy_id
order by policies.policy_id
