/*
description = "The input file of each finding of `asked` that has no policy of its own: that of its principal, or of the policy of its resource."
grain = ["finding_id"]
*/
with
of_resources as (
    select
        target_arn,
        min(source) as source,
    from attachments
    where attachment_kind in ('resource', 'endpoint')
    group by target_arn
)

select
    asked.finding_id,
    coalesce(principals.source, of_resources.source) as source,
from asked
left join principals on asked.principal_arn = principals.principal_arn
left join of_resources on asked.resource_arn = of_resources.target_arn
where
    asked.source is null
    and coalesce(principals.source, of_resources.source) is not null
order by asked.finding_id
