/*
description = "Problems of the inputs, errors first."
grain = ["reject_id"]
*/
select
    reject_id,
    source,
    line,
    "column",
    pointer,
    severity,
    code,
    message,
    remedy,
from rejects
order by severity, reject_id
