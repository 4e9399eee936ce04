/*
description = "What a principal's permissions boundary says, as one set of parts; an empty text where it matches none of the evaluated actions."
grain = ["principal_arn"]
*/
select
    principals.principal_arn,
    coalesce(array_to_string(policy_forms.parts, ','), '') as parts,
from principals
left join policy_forms
    on principals.account_id = policy_forms.account_id and principals.boundary_policy_id = policy_forms.policy_id
where principals.boundary_policy_id is not null
