/*
id = "incomplete-principal"
title = "Something of a principal is missing"
severity = "high"
category = "hygiene"
rationale = """
The inputs name a group, a policy or a boundary that they do not hold, or that was rejected. What is said of the principal may be
too little or too much, in every other control too."""
remedy = "Export the account again, whole, or mend what the rejects name, and build again."
uncorrected = "it is about an export and not about a statement."
avoid = "An export with a filter, or of which the last page was not saved."
prefer = "aws iam get-account-authorization-details, all pages."

[frameworks]
nist-800-53-r5 = ["CA-7"]

[sources.incomplete]
query = "incomplete_principals"
*/
select
    'principal' as subject_kind,
    principal_arn,
    'It is incomplete, without ' || first_of(missing, 3) as message,
from incomplete
