/*
id = "not-action-with-allow"
title = "Allow with NotAction"
severity = "medium"
category = "grants"
rationale = """
NotAction with Allow grants everything but what is listed: every other service, and every action that AWS adds. Statements of
which boundaries, SCPs and denies leave nothing are not found."""
remedy = "Write Action with the actions that are meant. To take some away from a wide grant, use a Deny."
avoid = '''
{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}'''
prefer = '''
[{"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"},
 {"Effect": "Deny", "Action": "sagemaker:DeleteDomain", "Resource": "*"}]'''

[frameworks]
nist-800-53-r5 = ["AC-6"]
iso-27001-2022 = ["A.8.2"]
soc2-2017 = ["CC6.3"]
pci-dss-4 = ["7.2.2"]
*/
with
all_but_some as (
    select
        statements.statement_id,
        string_agg(actions.action_pattern, ', ' order by actions.action_pattern) as patterns,
    from statements
    inner join actions on statements.statement_id = actions.statement_id
    where
        statements.effect = 'Allow'
        and statements.action_element = 'NotAction'
    group by statements.statement_id
),

granting as (
    select
        statement_grants.statement_id,
        count(distinct statement_grants.action) as action_count,
    from statement_grants
    semi join all_but_some on statement_grants.statement_id = all_but_some.statement_id
    group by statement_grants.statement_id
)

select
    'statement' as subject_kind,
    all_but_some.statement_id,
    'It allows all but ' || all_but_some.patterns || ': ' || granting.action_count
    || ' of the actions that this lake answers for, and every other service' as message,
from all_but_some
inner join granting on all_but_some.statement_id = granting.statement_id
