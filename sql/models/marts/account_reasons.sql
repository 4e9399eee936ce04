/*
description = "The statements that can grant every principal of an account something and those that can limit it, as one list each."
grain = ["account_id"]
*/
select
    account_id,
    granting,
    limiting,
from reasons
where principal_arn = ''
