/*
description = "Service prefixes of the service reference and of the action patterns that policies hold."
grain = ["service"]
*/
select service
from reference_services
union
select service
from actions
where service is not null
order by service
