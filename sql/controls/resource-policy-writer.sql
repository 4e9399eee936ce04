/*
id = "resource-policy-writer"
title = "Resources may be shared with other accounts"
severity = "medium"
category = "grants"
rationale = """
The principal may write the policies of SageMaker resources, and so open them to any account: what an SCP of this organization
forbids to its members does not reach those."""
remedy = """
Let an administrator's role alone write policies of resources, or deny principals outside of the organization in an RCP.
The corrected statement of a finding is a Deny to add to the policies of the principal: it holds whatever grants the calls."""
avoid = '''
{"Effect": "Allow", "Action": "sagemaker:Put*Policy", "Resource": "*"}'''
prefer = "Sharing by a role of its own, reviewed, with resource policies in a repository."

[frameworks]
nist-800-53-r5 = ["AC-3", "AC-6"]
soc2-2017 = ["CC6.3"]
iso-27001-2022 = ["A.5.15"]

[sources.writers]
query = "action_callers"
without = "full_access_principals"
action = "sagemaker:Put*Policy"
*/
select
    'principal' as subject_kind,
    principal_arn,
    told_calls('share resources with other accounts', list(action)) as message,
    denied_actions(list(action)) as corrected_statement,
from writers
group by principal_arn
