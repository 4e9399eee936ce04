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
        words.type_word,
        words.type_word as right_word,
    from words
    where
        words.partition != lower(words.partition)
        or words.service != lower(words.service)
        or not starts_with(words.resource_pattern, 'arn:')
    union
    select
        words.statement_id,
        words.resource_pattern,
        words.type_word,
        min(types.type_word) as right_word,
    from words
    inner join types
        on
            lower(words.service) = types.service
            and lower(words.type_word) = lower(types.type_word)
    where words.type_word != ''
    group by words.statement_id, words.resource_pattern, words.type_word
    having not bool_or(words.type_word = types.type_word)
),

-- The first three fields are in small letters; the type is as the reference has it.
righted as (
    select
        statement_id,
        resource_pattern,
        any_value(
            lower(array_to_string(string_split(resource_pattern, ':')[:3], ':')) || ':'
            || replace(
                array_to_string(string_split(resource_pattern, ':')[4:], ':'),
                type_word || substr(regexp_extract(resource_pattern, type_word || '([/:])'), -1),
                right_word || substr(regexp_extract(resource_pattern, type_word || '([/:])'), -1)
            )
        ) as right_pattern,
    from wrong
    group by statement_id, resource_pattern
)

select
    'statement' as subject_kind,
    righted.statement_id,
    righted.resource_pattern as aspect,
    righted.resource_pattern || ' matches nothing: the case of its letters is wrong' as message,
    -- To write it right in an Allow would grant more than before.
    case statements.effect
        when 'Deny'
            then json_object('replace_resources', json_object(righted.resource_pattern, righted.right_pattern))::varchar
        else json_object('drop_resources', [righted.resource_pattern])::varchar
    end as correction,
from righted
inner join statements on righted.statement_id = statements.statement_id
