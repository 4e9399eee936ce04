/*
description = "What conditions say of the tags of a request: for each tag that some condition is about, whether a request without it can meet them, and one that brings it."
grain = ["condition_id", "tag_key"]
needs = ["tag_requests"]
*/
select
    tag_requests.condition_id,
    residual_conditions.condition,
    tag_requests.tag_key,
    tag_requests.can_lack,
    tag_requests.can_name,
from tag_requests
inner join residual_conditions on tag_requests.condition_id = residual_conditions.condition_id
order by tag_requests.condition_id, tag_requests.tag_key
