/*
id = "not-action-with-allow"
title = "Allow with NotAction"
severity = "medium"
category = "grants"
rationale = """
NotAction with Allow grants everything but what is listed: every other service, and every action that AWS adds. Statements of
which boundaries, SCPs and denies leave nothing are not found."""
remedy = "Write Action with the actions that are meant. To take some away from a wide grant, use a Deny."
uncorrected = "which of all other actions are meant, the statement does not tell."
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

-- Step by step as tables: the few statements first, then their numbers, then where these grant something. What
-- statement_grants says of all statements of large lakes is a thousand times as much.
held as materialized (
    select granting_statements.*
    from granting_statements
    semi join all_but_some on granting_statements.statement_id = all_but_some.statement_id
),

granting_cells as materialized (
    select
        cell_grants.cell_id,
        cell_grants.reason_number,
    from cell_grants
    semi join held on cell_grants.reason_number = held.reason_number
),

granted as materialized (
    select distinct
        profile_cells.profile_id,
        profile_cells.action,
        granting_cells.reason_number,
    from profile_cells
    semi join held on profile_cells.profile_id = held.profile_id
    semi join evaluated_actions on profile_cells.action = evaluated_actions.action
    inner join granting_cells on profile_cells.cell_id = granting_cells.cell_id
),

granting as (
    select
        held.statement_id,
        count(distinct granted.action) as action_count,
    from held
    inner join granted
        on
            held.profile_id = granted.profile_id
            and held.reason_number = granted.reason_number
    inner join action_set_members
        on
            held.action_set_id = action_set_members.action_set_id
            and granted.action = action_set_members.action
    group by held.statement_id
)

select
    'statement' as subject_kind,
    all_but_some.statement_id,
    'It allows all but ' || all_but_some.patterns || ': ' || granting.action_count
    || ' of the actions that this lake answers for, and every other service' as message,
from all_but_some
inner join granting on all_but_some.statement_id = granting.statement_id
