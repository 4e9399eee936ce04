/*
description = "The questions, each once, with what both sides have."
grain = ["question_id"]
*/
with
distinct_questions as (
    select distinct
        question_id,
        old_hash,
        new_hash,
        service,
        own_account,
    from questions
),

old_texts as (
    select
        content_hash,
        any_value(content) as content,
    from old_contents
    group by content_hash
),

new_texts as (
    select
        content_hash,
        any_value(content) as content,
    from new_contents
    group by content_hash
)

select
    distinct_questions.question_id,
    old_texts.content as old_content,
    new_texts.content as new_content,
    distinct_questions.service,
    distinct_questions.own_account,
from distinct_questions
left join old_texts on distinct_questions.old_hash = old_texts.content_hash
left join new_texts on distinct_questions.new_hash = new_texts.content_hash
order by distinct_questions.question_id
