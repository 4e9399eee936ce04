/*
id = "console-permissions-of-administrator"
title = "Permissions for the console amount to those of an administrator"
severity = "critical"
category = "guide"
rationale = """
Policies for the console often let create roles and attach policies to them, so that wizards work. On every role and without
a condition this is all that an administrator has: the holder attaches AdministratorAccess to a role, or to itself, and takes
it. The statement is found by its text, where it is attached to a principal."""
remedy = """
Take iam:CreateRole, iam:AttachRolePolicy and their like out, and let administrators prepare the execution roles. If they must
stay, name the roles and the policies: conditions on iam:PolicyARN and iam:PermissionsBoundary."""
avoid = '''
{"Effect": "Allow", "Action": ["iam:CreateRole", "iam:AttachRolePolicy"], "Resource": "*"}'''
prefer = '''
{"Effect": "Allow", "Action": "iam:AttachRolePolicy", "Resource": "arn:aws:iam::*:role/service-role/ml-*",
 "Condition": {"ArnEquals": {"iam:PolicyARN": "arn:aws:iam::111122223333:policy/ml-execution"}}}'''

[frameworks]
nist-800-53-r5 = ["AC-6"]
cis-aws-3 = ["1.16"]
soc2-2017 = ["CC6.3"]
pci-dss-4 = ["7.2.2"]
iso-27001-2022 = ["A.8.2"]

[parameters.actions]
description = "Actions that alone lead to every right"
default = [
    "iam:AttachRolePolicy", "iam:AttachUserPolicy", "iam:AttachGroupPolicy", "iam:PutRolePolicy", "iam:PutUserPolicy",
    "iam:PutGroupPolicy", "iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion",
]
*/
with
-- Reached by these alone, without a further right.
escalations as (
    select unnest($actions) as action
),

open_statements as (
    select distinct
        statements.statement_id,
        statements.policy_id,
    from statements
    inner join resources on statements.statement_id = resources.statement_id
    where
        statements.effect = 'Allow'
        and statements.action_element = 'Action'
        and statements.resource_element = 'Resource'
        and statements.condition_count = 0
        and regexp_full_match(
            lower(resources.resource_pattern),
            '\*+|arn:aws[a-z-]*:iam::[^:]*:(\*+|role/\*+|user/\*+|group/\*+|policy/\*+)'
        )
),

granted as (
    select
        open_statements.statement_id,
        list(distinct escalations.action order by escalations.action) as actions,
    from open_statements
    inner join actions on open_statements.statement_id = actions.statement_id
    inner join escalations on lower(escalations.action) glob glob_of(actions.action_pattern)
    -- All of everything has a control of its own.
    where
        not regexp_full_match(actions.action_pattern, '(\*+:)?\*+')
        and open_statements.policy_id in (
            select policy_id
            from attachments
            where attachment_kind in ('inline', 'managed')
        )
    group by open_statements.statement_id
)

select
    'statement' as subject_kind,
    statement_id,
    'It allows, on every role, user or policy and without a condition: ' || array_to_string(actions, ', ') as message,
from granted
