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
    statement_id,
    set_qualifier_key || operator || ' ' || condition_key as aspect,
    effect || ' under ' || coalesce(nullif(set_qualifier_key, '') || ':', '') || operator
    || case when if_exists then 'IfExists' else '' end || ' ' || condition_key
    || ', which requests without the key meet' as message,
from idle
where reason = 'true without the key'
