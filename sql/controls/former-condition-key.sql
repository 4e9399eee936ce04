/*
id = "former-condition-key"
title = "A condition key has its former spelling"
severity = "medium"
category = "hygiene"
rationale = """
The service still lists the key and no action uses it any more; another one took its place. The condition is about a key that
requests do not carry."""
remedy = "Write the key as it is spelt now."
avoid = '''
{"Effect": "Allow", "Action": "sagemaker:CreateTrainingJob", "Resource": "*",
 "Condition": {"ArnEquals": {"sagemaker:VolumeKmsKey": "arn:aws:kms:us-east-1:111122223333:key/0123"}}}'''
prefer = '''
{"Effect": "Allow", "Action": "sagemaker:CreateTrainingJob", "Resource": "*",
 "Condition": {"ArnEquals": {"sagemaker:VolumeKmsKeyArn": "arn:aws:kms:us-east-1:111122223333:key/0123"}}}'''

[frameworks]
nist-800-53-r5 = ["AC-3"]

[sources.former]
query = "unknown_condition_keys"
*/
select distinct
    'statement' as subject_kind,
    statements.statement_id,
    former.condition_key as aspect,
    statements.effect || ' with ' || former.condition_key || ', a former spelling'
    || coalesce('; it is ' || former.current_spelling || ' now', '') as message,
    'Write ' || former.current_spelling || '.' as remedy,
    case
        when former.current_spelling is not null
            then json_object(
                'rename_key', json_object('from', former.condition_key, 'to', former.current_spelling)
            )::varchar
    end as correction,
from former
inner join statements on former.policy_id = statements.policy_id
inner join conditions
    on
        statements.statement_id = conditions.statement_id
        and former.condition_key = conditions.condition_key
where former.is_known_key
