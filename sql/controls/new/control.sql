/*
id = "NEW-CONTROL"
title = "A user may start training jobs"
severity = "medium"
category = "grants"
rationale = """
Why it counts: what can happen, to whom, and on which page of the AWS documentation it stands."""
remedy = "What to write instead, in one or two sentences."
avoid = '''
{"Effect": "Allow", "Action": "sagemaker:CreateTrainingJob", "Resource": "*"}'''
prefer = "Roles that people assume, and no grants to users."

[parameters.action]
description = "The action that is looked for"
default = "sagemaker:CreateTrainingJob"
*/
-- One row a finding. `policylake tables` lists the relations; access is what principals really can do.
select distinct
    'principal' as subject_kind,
    access.principal_arn,
    access.action,
    'The user may ' || access.action as message,
from access
where
    access.principal_type = 'user'
    and access.action = $action
    and access.action_verdict in ('allowed', 'conditional')
