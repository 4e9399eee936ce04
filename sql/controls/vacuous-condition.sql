/*
id = "vacuous-condition"
title = "A condition that every request meets"
severity = "medium"
category = "hygiene"
rationale = """
Every request meets the condition: it looks like protection and is none."""
remedy = "Compare with the values that are meant, or take the condition out."
avoid = '''
{"Effect": "Allow", "Action": "sagemaker:CreateModel", "Resource": "*",
 "Condition": {"StringLike": {"aws:PrincipalArn": "*"}}}'''
prefer = '''
{"Effect": "Allow", "Action": "sagemaker:CreateModel", "Resource": "*",
 "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/ml-*"}}}'''

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
    || ', which every request meets' as message,
    json_object(
        'drop_condition',
        json_object(
            'operator', operator, 'set_qualifier', set_qualifier_key, 'if_exists', if_exists, 'key', condition_key
        )
    )::varchar as correction,
from idle
where reason = 'always true'
