/*
id = "duplicate-statement"
title = "A statement stands twice"
severity = "low"
category = "hygiene"
rationale = """
The principal has the same statement twice, Sid apart: in one policy, or in two of its policies. Who takes the one out believes the
access gone."""
remedy = "Keep one of the two: in the policy that says by its name what it is for."
uncorrected = "each of the two is right as it stands; one of them is to go."
avoid = "The same statement in a role's own policy and in the managed one that is attached to it."
prefer = "One managed policy that holds the statement, attached wherever it is needed."

[frameworks]
nist-800-53-r5 = ["AC-6"]
*/
with
held as (
    select distinct
        principal_arn,
        policy_id,
    from principal_policies
    where attachment_kind in ('inline', 'managed')
),

held_statements as (
    select
        statements.statement_id,
        statements.policy_id,
        statements.effect || statements.action_element || statements.resource_element as elements,
    from statements
    semi join held on statements.policy_id = held.policy_id
),

parts as (
    select
        statement_id,
        lower(action_pattern) as part,
    from actions
    union all
    select
        statement_id,
        resource_pattern as part,
    from resources
    union all
    select
        statement_id,
        concat_ws(
            ' ', operator, set_qualifier, if_exists, lower(condition_key), list_sort(condition_values)::varchar
        ) as part,
    from conditions
),

-- A number for what a statement says: its Sid, the order of lists and the spelling of lists of one do not count.
said as (
    select
        held_statements.statement_id,
        any_value(held_statements.policy_id) as policy_id,
        number_of(any_value(held_statements.elements) || list(parts.part order by parts.part)::varchar) as content,
    from held_statements
    inner join parts on held_statements.statement_id = parts.statement_id
    group by held_statements.statement_id
),

repeated as (
    select
        held.principal_arn,
        said.content,
        list(said.statement_id order by said.statement_id) as statement_ids,
    from held
    inner join said on held.policy_id = said.policy_id
    group by held.principal_arn, said.content
    having count(*) > 1
),

-- Once for all principals that have the same two.
pairs as (
    select
        statement_ids,
        count(*) as holder_count,
        min(principal_arn) as first_holder,
    from repeated
    group by statement_ids
)

select
    'statement' as subject_kind,
    statement_ids[2] as statement_id,
    'The same statement stands ' || len(statement_ids) || ' times for ' || first_holder
    || case when holder_count > 1 then ' and ' || (holder_count - 1) || ' more' else '' end as message,
from pairs
