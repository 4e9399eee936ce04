/*
id = "full-access-principal"
title = "A principal may do everything with SageMaker"
severity = "medium"
category = "grants"
rationale = """
The principal may call nearly every action on every resource, whatever boundary, SCPs and denies take away. Some must, few
should. Other controls about single grants leave these principals out: everything holds for them.
Known are all actions that the lake answers for. sagemaker:* alone is less than that: the lake answers for Ground Truth, MLflow
and geospatial actions too, which have prefixes of their own, so service-wide-grant finds it and this control does not."""
remedy = """
Give roles to tasks, with the actions of the task. Keep full access for a few roles that are taken with MFA, and accept their risk."""
uncorrected = "what its holders need, no policy tells."
avoid = '''
{"Effect": "Allow", "Action": "*", "Resource": "*"}'''
prefer = "A role for each task, and an administrator's role that nobody uses from day to day."

[frameworks]
nist-800-53-r5 = ["AC-6"]
iso-27001-2022 = ["A.8.2"]
soc2-2017 = ["CC6.3"]
pci-dss-4 = ["7.2.2"]

[parameters.percent]
description = "Least share of the known actions, from 0 to 100"
default = 95

[sources.administrators]
query = "full_access_principals"
percent = "$percent"
*/
select
    'principal' as subject_kind,
    principal_arn,
    account_id,
    'It may call ' || (allowed_actions + conditional_actions) || ' of ' || known_actions
    || ' known actions on every resource' as message,
from administrators
