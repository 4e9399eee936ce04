/*
description = "The statements that can grant one principal something and those that can limit it, as one list each; what counts for its whole account is in account_reasons."
grain = ["principal_arn"]
*/
select
    principal_arn,
    granting,
    limiting,
from reasons
where principal_arn != ''
