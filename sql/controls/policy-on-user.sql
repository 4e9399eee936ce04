/*
id = "policy-on-user"
title = "A policy is attached to a user"
severity = "low"
category = "hygiene"
rationale = """
Policies of single users are hard to oversee: who changes teams keeps them. Groups, or better roles that people take, say what
somebody does there."""
remedy = "Attach the policy to a group or a role, and take it away from the user."
uncorrected = "the statement stays as it is and is attached elsewhere."
avoid = "A policy of a user's own."
prefer = "Roles of IAM Identity Center, or a group for each task."

[frameworks]
aws-fsbp = ["IAM.2"]
cis-aws-3 = ["1.15"]
nist-800-53-r5 = ["AC-2", "AC-6"]
pci-dss-4 = ["7.2.1"]
*/
select
    'principal' as subject_kind,
    principals.principal_arn,
    principals.account_id,
    'It has ' || count(*) || case count(*) when 1 then ' policy of its own: ' else ' policies of its own, such as ' end
    || min(attachments.policy_name) as message,
from principals
inner join attachments on principals.principal_arn = attachments.target_arn
where
    principals.principal_type = 'user'
    and attachments.attachment_kind in ('inline', 'managed')
group by principals.principal_arn, principals.account_id
