/*
id = "full-access-principal"
title = "A principal may do nearly everything with SageMaker"
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

[sources.full_policies]
query = "full_access_policies"
percent = "$percent"
*/
with
named as (
    select
        principal_arn,
        list(
            distinct policy_name
            || case when via_arn = principal_arn then '' else ' of group ' || split_part(via_arn, '/', -1) end
        ) as policy_names,
    from full_policies
    group by principal_arn
)

select
    'principal' as subject_kind,
    administrators.principal_arn,
    administrators.account_id,
    'It may call ' || (administrators.allowed_actions + administrators.conditional_actions) || ' of '
    || administrators.known_actions || ' known actions on every resource'
    || coalesce(', by ' || first_of(list_sort(named.policy_names), 3), '') as message,
from administrators
left join named on administrators.principal_arn = named.principal_arn
