/*
id = "unknown-condition-key"
title = "A condition key does not exist"
severity = "medium"
category = "hygiene"
rationale = """
The service reference knows no key of this name: it is misspelt, retired or newer than the reference. No request carries it: an
Allow that asks for it gives nothing, a Deny that looks for it protects nothing, and with IfExists or a negated operator the
condition always holds."""
remedy = "Use the key as AWS spells it; the service authorization reference lists the keys of each action."
uncorrected = "which key was meant, the statement does not tell, and without the condition it would grant more."
avoid = '''
{"Effect": "Allow", "Action": "sagemaker:CreateModel", "Resource": "*",
 "Condition": {"StringEquals": {"aws:SourceVPCEndpoint": "vpce-0123"}}}'''
prefer = '''
{"Effect": "Allow", "Action": "sagemaker:CreateModel", "Resource": "*",
 "Condition": {"StringEquals": {"aws:SourceVpce": "vpce-0123"}}}'''

[frameworks]
nist-800-53-r5 = ["AC-3"]

[sources.unknown]
query = "unknown_condition_keys"
*/
with
-- Keys of tags, which the reference writes as s3:ExistingObjectTag/<key> and secretsmanager:ResourceTag/tag-key.
of_tags as (
    select lower(regexp_extract(condition_key, '^(.*/)(<[^>]*>|tag-key)$', 1)) as key_start
    from reference_condition_keys
    where regexp_matches(condition_key, '/(<[^>]*>|tag-key)$')
)

select distinct
    'statement' as subject_kind,
    statements.statement_id,
    unknown.condition_key as aspect,
    statements.effect || ' with ' || unknown.condition_key || ', which is no condition key' as message,
from unknown
inner join statements on unknown.policy_id = statements.policy_id
inner join conditions
    on
        statements.statement_id = conditions.statement_id
        and unknown.condition_key = conditions.condition_key
where
    not unknown.is_known_key
    and not exists (
        from of_tags
        where starts_with(lower(unknown.condition_key), of_tags.key_start)
    )
