/*
id = "resource-in-wrong-case"
title = "An ARN is in the wrong case of letters"
severity = "medium"
category = "hygiene"
rationale = """
In an ARN the case of letters counts: a partition, a service or a type of resource with other capitals than AWS uses matches
nothing. An Allow grants nothing there, a Deny protects nothing."""
remedy = "Write the ARN as AWS does: arn:aws:sagemaker:us-east-1:111122223333:training-job/name."
avoid = '''
{"Effect": "Deny", "Action": "sagemaker:DeleteModel", "Resource": "arn:aws:SageMaker:*:*:Model/*"}'''
prefer = '''
{"Effect": "Deny", "Action": "sagemaker:DeleteModel", "Resource": "arn:aws:sagemaker:*:*:model/*"}'''

[frameworks]
nist-800-53-r5 = ["AC-3"]
*/
with
types as (
    select distinct
        service,
        regexp_extract(arn_format, '^[^:]*:[^:]*:[^:]*:[^:]*:[^:]*:([^/:$]+)[/:]', 1) as type_word,
    from reference_resource_types
),

words as (
    select
        statement_id,
        resource_pattern,
        partition,
        service,
        regexp_extract(resource, '^([^/:*?$]+)[/:]', 1) as type_word,
    from resources
    where
        starts_with(lower(resource_pattern), 'arn:')
        and service is not null
),

wrong as (
    select
        words.statement_id,
        words.resource_pattern,
    from words
    where
        words.partition != lower(words.partition)
        or words.service != lower(words.service)
        or not starts_with(words.resource_pattern, 'arn:')
    union
    select
        words.statement_id,
        words.resource_pattern,
    from words
    inner join types
        on
            lower(words.service) = types.service
            and lower(words.type_word) = lower(types.type_word)
    where words.type_word != ''
    group by words.statement_id, words.resource_pattern, words.type_word
    having not bool_or(words.type_word = types.type_word)
)

select
    'statement' as subject_kind,
    statement_id,
    resource_pattern as aspect,
    resource_pattern || ' matches nothing: the case of its letters is wrong' as message,
from wrong
