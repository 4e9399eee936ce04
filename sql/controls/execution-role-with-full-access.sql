/*
id = "execution-role-with-full-access"
title = "An execution role has the rights of an administrator"
severity = "critical"
category = "grants"
rationale = """
Every job, notebook and endpoint that runs with the role may do everything, whoever wrote its code, and so may everyone who can
pass the role or open such a notebook."""
remedy = """
Give each execution role what its jobs read and write: some buckets, some keys, some log groups, and few SageMaker actions.
Each finding names the policies that alone allow nearly everything, and has the commands that put another one in their place: what
its jobs need, no policy tells, but AWS tells which services the role used. What its other policies allow, stays; and where a
template made the role, the change belongs there."""
uncorrected = "what its jobs need, no policy tells; a finding has the commands instead."
avoid = "AdministratorAccess on a role that trusts sagemaker.amazonaws.com."
prefer = '''
[{"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::churn-data/*"},
 {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
  "Resource": "arn:aws:logs:*:*:log-group:/aws/sagemaker/*"}]'''

[frameworks]
nist-800-53-r5 = ["AC-6"]
iso-27001-2022 = ["A.8.2"]
soc2-2017 = ["CC6.3"]
pci-dss-4 = ["7.2.2"]

[sources.service_trusts]
query = "service_roles"

[sources.administrators]
query = "full_access_principals"

[sources.full_policies]
query = "full_access_policies"
*/
with
found as (
    select
        service_trusts.principal_arn,
        service_trusts.account_id,
        shell_word(principals.principal_name) as role_word,
        administrators.allowed_actions + administrators.conditional_actions || ' of '
        || administrators.known_actions || ' known actions on every resource' as rights,
    from service_trusts
    inner join administrators on service_trusts.principal_arn = administrators.principal_arn
    inner join principals on service_trusts.principal_arn = principals.principal_arn
),

documents as (
    select
        policy_id,
        bool_or(effect = 'Allow') as has_allow,
        bool_or(effect = 'Deny') as has_deny,
        policy_id in (select policy_id from full_policies) as is_full,
    from statements
    group by policy_id
),

granting as (
    select
        found.principal_arn,
        found.role_word,
        principal_policies.policy_name,
        principal_policies.policy_arn,
        principal_policies.attachment_kind,
        documents.has_deny,
        documents.is_full,
        bool_or(documents.is_full) over (partition by found.principal_arn) as has_full,
    from found
    inner join principal_policies on found.principal_arn = principal_policies.principal_arn
    inner join documents on principal_policies.policy_id = documents.policy_id
    where
        principal_policies.attachment_kind in ('inline', 'managed')
        and documents.has_allow
),

-- Where none alone is enough, all of them together are.
replaced as (
    select
        principal_arn,
        bool_and(is_full) as is_enough,
        list(policy_name order by policy_name, policy_arn) as policy_names,
        list(policy_name order by policy_name, policy_arn) filter (where has_deny) as denying_names,
        list(
            case attachment_kind
                when 'managed' then 'detach-role-policy --role-name ' || role_word || ' --policy-arn ' || shell_word(policy_arn)
                else 'delete-role-policy --role-name ' || role_word || ' --policy-name ' || shell_word(policy_name)
            end
            order by policy_name, policy_arn
        ) as commands,
    from granting
    where is_full or not has_full
    group by principal_arn
),

steps as (
    select
        found.principal_arn,
        first_of(replaced.policy_names, 3) as names,
        'Write what its jobs need into jobs.json, and put that in the place of ' || names
        || case
            when not replaced.is_enough then ', which together allow nearly everything'
            when len(replaced.policy_names) = 1 then ', which alone allows nearly everything'
            else ', each of which alone allows nearly everything'
        end
        || coalesce('; keep what ' || first_of(replaced.denying_names, 3) || ' denies', '')
        || '. The first command asks AWS what the role used.' as words,
        [
            'generate-service-last-accessed-details --granularity ACTION_LEVEL --arn ' || shell_word(found.principal_arn),
            put_policy(
                'role', found.role_word, unused_name('jobs', inline_policy_names.policy_names), 'file://jobs.json'
            ),
        ] || replaced.commands as commands,
    from found
    inner join replaced on found.principal_arn = replaced.principal_arn
    left join inline_policy_names on found.principal_arn = inline_policy_names.principal_arn
)

select
    'role' as subject_kind,
    found.principal_arn,
    found.account_id,
    'SageMaker may assume it, and' || coalesce(' by ' || steps.names, '') || ' it may call ' || found.rights as message,
    steps.words || iam_commands(steps.commands) as remedy,
from found
left join steps on found.principal_arn = steps.principal_arn
