/*
id = "unused-role"
title = "A role with access is not used"
severity = "low"
category = "grants"
rationale = """
Nobody has used the role for a while, or ever, and it still grants access: whoever takes it over has that access, and nobody
would miss the role. Days count to the day of the account's export, so the finding does not depend on when it is asked for."""
remedy = "Delete the role, or take its policies away. If it is for emergencies, accept the risk with an expiry."
uncorrected = "the role or its policies are to go, not to be written otherwise."
avoid = "A role that was made for a project and stayed when the project ended."
prefer = "Roles with an owner tag, looked through every quarter, deleted when their last use is long ago."

[frameworks]
nist-800-53-r5 = ["AC-2", "AC-6"]

[parameters.days]
description = "Least number of days without use"
default = 90

[sources.unused]
query = "unused_roles"
days = "$days"
*/
select
    'role' as subject_kind,
    unused.principal_arn,
    unused.account_id,
    case
        when unused.last_used_at is null then 'The role was never used, or its last use is not known'
        else 'The role was last used on ' || left(unused.last_used_at, 10)
    end
    || '; it grants ' || unused.action_count
    || case unused.action_count when 1 then ' action' else ' actions' end as message,
from unused
inner join principals on unused.principal_arn = principals.principal_arn
where
    not principals.is_service_linked
    and (
        unused.last_used_at is not null
        or coalesce(
            date_diff('day', principals.created_at::timestamptz, unused.data_as_of::timestamptz) >= $days,
            true
        )
    )
