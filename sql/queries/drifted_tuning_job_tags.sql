/*
description = "Training jobs whose tags differ from those of the tuning job that launched them, tag by tag."
grain = ["training_job_arn", "tag_key"]
*/
with
all_tags as (
    select
        resource_arn,
        unnest(map_keys(tags)) as tag_key,
        unnest(map_values(tags)) as tag_value,
    from inventory
),

-- Tags that AWS gives itself are of one resource, and nobody can change them.
tags as (
    select
        resource_arn,
        tag_key,
        tag_value,
    from all_tags
    where not starts_with(lower(tag_key), 'aws:')
),

job_tags as (
    select
        training_jobs.training_job_arn,
        training_jobs.tuning_job_arn,
        tags.tag_key,
        tags.tag_value,
    from training_jobs
    inner join tags on training_jobs.training_job_arn = tags.resource_arn
),

tuning_tags as (
    select
        training_jobs.training_job_arn,
        training_jobs.tuning_job_arn,
        tags.tag_key,
        tags.tag_value,
    from training_jobs
    inner join tags on training_jobs.tuning_job_arn = tags.resource_arn
),

-- Jobs that the tagging API did not list have no tags or are gone: nothing to compare.
listed as (
    select training_jobs.training_job_arn
    from training_jobs
    inner join inventory as jobs on training_jobs.training_job_arn = jobs.resource_arn
    inner join inventory as tuning_jobs on training_jobs.tuning_job_arn = tuning_jobs.resource_arn
)

select
    coalesce(job_tags.training_job_arn, tuning_tags.training_job_arn) as training_job_arn,
    coalesce(job_tags.tuning_job_arn, tuning_tags.tuning_job_arn) as tuning_job_arn,
    coalesce(job_tags.tag_key, tuning_tags.tag_key) as tag_key,
    job_tags.tag_value as training_job_value,
    tuning_tags.tag_value as tuning_job_value,
from job_tags
full join tuning_tags
    on
        job_tags.training_job_arn = tuning_tags.training_job_arn
        and job_tags.tag_key = tuning_tags.tag_key
inner join listed on listed.training_job_arn = coalesce(job_tags.training_job_arn, tuning_tags.training_job_arn)
where job_tags.tag_value is distinct from tuning_tags.tag_value
order by training_job_arn, tag_key
