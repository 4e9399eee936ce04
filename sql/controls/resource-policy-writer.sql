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

[sources.administrators]
query = "full_access_principals"
*/
with
writers as (
    select
        access_matrix.principal_arn,
        list(access_matrix.action order by access_matrix.action) as actions,
    from access_matrix
    anti join administrators on access_matrix.principal_arn = administrators.principal_arn
    where
        access_matrix.action in ('sagemaker:PutModelPackageGroupPolicy', 'sagemaker:PutResourcePolicy')
        and access_matrix.verdict in ('allowed', 'conditional')
    group by access_matrix.principal_arn
)

select
    'principal' as subject_kind,
    principal_arn,
    'It may call ' || array_to_string(actions, ', ') as message,
    denied_actions(actions) as corrected_statement,
from writers
