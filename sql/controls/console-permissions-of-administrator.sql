/*
id = "console-permissions-of-administrator"
title = "Permissions for the console amount to those of an administrator"
severity = "critical"
category = "guide"
rationale = """
Policies for the console often let create roles and attach policies to them, so that wizards work. On every role and without
a condition this is all that an administrator has: the holder attaches AdministratorAccess to a role, or to itself, and takes
it. The statement is found by its text, where it is attached to a principal to which its policies, boundary and SCPs leave the
action: a Deny without a condition on every resource takes it away, as does a boundary, or a level of SCPs, that does not name
it. A condition that every request meets is none."""
remedy = """
Take iam:CreateRole, iam:AttachRolePolicy and their like out, and let administrators prepare the execution roles. If they must
stay, name the roles and the policies: conditions on iam:PolicyARN and iam:PermissionsBoundary. The corrected statement is the
one without the actions that alone lead to every right; there is none where a wildcard names them, for it may be meant for others."""
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

[sources.unconditional]
query = "unconditional_statements"
*/
with
-- Reached by these alone, without a further right.
escalations as (
    select unnest($actions) as action
),

named as (
    select distinct
        actions.statement_id,
        escalations.action,
    from actions
    inner join escalations on lower(escalations.action) glob glob_of(actions.action_pattern)
),

-- Which statement speaks of which of them, NotAction resolved.
spoken as (
    select
        statements.statement_id,
        statements.policy_id,
        statements.effect,
        escalations.action,
    from statements
    cross join escalations
    left join named on statements.statement_id = named.statement_id and escalations.action = named.action
    where (statements.action_element = 'Action') = (named.action is not null)
),

open_statements as (
    select distinct
        unconditional.statement_id,
        unconditional.policy_id,
    from unconditional
    inner join resources on unconditional.statement_id = resources.statement_id
    where
        unconditional.effect = 'Allow'
        and unconditional.action_element = 'Action'
        and unconditional.resource_element = 'Resource'
        and regexp_full_match(
            lower(resources.resource_pattern),
            '\*+|arn:aws[a-z-]*:iam::[^:]*:(\*+|role/\*+|user/\*+|group/\*+|policy/\*+)'
        )
),

granted as (
    select distinct
        open_statements.statement_id,
        open_statements.policy_id,
        escalations.action,
    from open_statements
    inner join actions on open_statements.statement_id = actions.statement_id
    inner join escalations on lower(escalations.action) glob glob_of(actions.action_pattern)
    -- All of everything has a control of its own.
    where not regexp_full_match(actions.action_pattern, '(\*+:)?\*+')
),

-- What the statement is corrected by; a pattern that is no action's name stays, and what it opens with it.
spelt_out as (
    select
        actions.statement_id,
        list(distinct actions.action_pattern order by actions.action_pattern) as action_patterns,
    from granted
    inner join actions on granted.statement_id = actions.statement_id
    where lower(granted.action) glob glob_of(actions.action_pattern)
    group by actions.statement_id
    having not bool_or(actions.is_wildcard)
),

-- Policies that take an action away from whoever they count for.
denying as (
    select distinct
        spoken.policy_id,
        spoken.action,
    from spoken
    inner join unconditional on spoken.statement_id = unconditional.statement_id
    inner join resources on spoken.statement_id = resources.statement_id
    where
        spoken.effect = 'Deny'
        and unconditional.resource_element = 'Resource'
        and regexp_full_match(lower(resources.resource_pattern), '\*+|arn:\*+(:iam::\*+:\*+)?')
),

allowing as (
    select distinct
        policy_id,
        action,
    from spoken
    where effect = 'Allow'
),

-- A group without members holds what its policies say, for whoever joins it.
held as (
    select
        principal_arn,
        attachment_kind,
        policy_id,
    from principal_policies
    union
    select
        target_arn as principal_arn,
        attachment_kind,
        policy_id,
    from attachments
    where
        attachment_kind in ('inline', 'managed')
        and target_arn not in (select group_arn from memberships)
),

holders as (
    select
        granted.statement_id,
        granted.action,
        held.principal_arn,
        case when not coalesce(principals.is_service_linked, false) then principals.account_id end as scp_account_id,
    from granted
    inner join held on granted.policy_id = held.policy_id and held.attachment_kind in ('inline', 'managed')
    left join principals on held.principal_arn = principals.principal_arn
),

taken_by_own as (
    select distinct
        held.principal_arn,
        escalations.action,
    from held
    cross join escalations
    left join denying on held.policy_id = denying.policy_id and escalations.action = denying.action
    left join allowing on held.policy_id = allowing.policy_id and escalations.action = allowing.action
    where
        held.principal_arn in (select principal_arn from holders)
        and (denying.action is not null or (held.attachment_kind = 'boundary' and allowing.action is null))
),

-- One Deny of a level is enough, and one Allow.
taken_by_level as (
    select
        account_controls.account_id,
        escalations.action,
    from account_controls
    cross join escalations
    left join denying on account_controls.policy_id = denying.policy_id and escalations.action = denying.action
    left join allowing on account_controls.policy_id = allowing.policy_id and escalations.action = allowing.action
    -- An empty id stands for a level without a policy, which limits nothing here.
    where account_controls.attachment_kind = 'scp' and account_controls.policy_id != ''
    group by account_controls.account_id, account_controls.level, escalations.action
    having count(denying.action) > 0 or count(allowing.action) = 0
),

left_over as (
    select
        holders.statement_id,
        list(distinct holders.action order by holders.action) as actions,
    from holders
    anti join taken_by_own
        on holders.principal_arn = taken_by_own.principal_arn and holders.action = taken_by_own.action
    anti join taken_by_level
        on holders.scp_account_id = taken_by_level.account_id and holders.action = taken_by_level.action
    group by holders.statement_id
)

select
    'statement' as subject_kind,
    left_over.statement_id,
    'It allows, on every role, user or policy and without a condition: '
    || array_to_string(left_over.actions, ', ') as message,
    case
        when spelt_out.statement_id is not null then json_object('drop_actions', spelt_out.action_patterns)::varchar
    end as correction,
from left_over
left join spelt_out on left_over.statement_id = spelt_out.statement_id
