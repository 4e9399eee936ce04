/*
description = "Problems of the inputs, counted by file."
grain = ["source", "severity", "code"]
*/
select
    source,
    severity,
    code,
    count(*) as problem_count,
    min(line) as first_line,
    min_by(message, reject_id) as first_message,
    min_by(remedy, reject_id) as first_remedy,
from rejects
group by source, severity, code
order by severity, source, code
