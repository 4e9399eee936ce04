/*
id = "for-all-values-without-presence"
title = "ForAllValues without a check that the key is there"
severity = "high"
category = "guide"
rationale = """
ForAllValues is true of no values at all. A request that does not carry the key meets the condition: an Allow that lists the
permitted tag keys is open to requests without tags."""
remedy = """
Beside ForAllValues put a Null condition with the value false for the same key, so that the key must be there. In a Deny use
ForAnyValue, or say with Null what is to happen without the key."""
avoid = '''
{"Effect": "Allow", "Action": "sagemaker:CreateModel", "Resource": "*",
 "Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": ["project"]}}}'''
prefer = '''
{"Effect": "Allow", "Action": "sagemaker:CreateModel", "Resource": "*",
 "Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": ["project"]}, "Null": {"aws:TagKeys": "false"}}}'''

[frameworks]
nist-800-53-r5 = ["AC-3"]

[sources.idle]
query = "idle_conditions"
*/
select
    'statement' as subject_kind,
    idle.statement_id,
    idle.set_qualifier_key || idle.operator || ' ' || idle.condition_key as aspect,
    idle.effect || ' under ' || coalesce(nullif(idle.set_qualifier_key, '') || ':', '') || idle.operator
    || case when idle.if_exists then 'IfExists' else '' end || ' ' || idle.condition_key
    || ', which requests without the key meet' as message,
    -- In a Deny nobody knows what is meant to happen without the key.
    case
        when idle.effect = 'Allow'
            then json_merge_patch(
                statement_of(policies.document, statements.statement_index)::json,
                json_object('Condition', json_object('Null', json_object(idle.condition_key, 'false')))
            )::varchar
    end as corrected_statement,
from idle
inner join statements on idle.statement_id = statements.statement_id
inner join policies on statements.policy_id = policies.policy_id
where idle.reason = 'true without the key'
