/*
id = "tuning-job-tags-drifted"
title = "Tags of a training job differ from those of its tuning job"
severity = "low"
category = "guide"
rationale = """
A training job that a tuning job launches takes over the tags that the tuning job has at that moment. Later changes do not
follow: whoever is limited by tags sees, stops or tags the one and not the other."""
remedy = """
Give both the same tags: sagemaker:AddTags on the training job, or on the tuning job, whichever is wrong."""
uncorrected = "it is about tags of jobs and not about a statement."
avoid = "Changing the tags of a tuning job alone while its training jobs go on."
prefer = "Tagging the tuning job before it starts, and its training jobs with it whenever the tags change."

[frameworks]
nist-800-53-r5 = ["AC-16"]

[sources.drifted]
query = "drifted_tuning_job_tags"
*/
with
differences as (
    select
        training_job_arn,
        any_value(tuning_job_arn) as tuning_job_arn,
        list(tag_key order by tag_key) as tag_keys,
    from drifted
    group by training_job_arn
)

select
    'job' as subject_kind,
    training_job_arn as resource_arn,
    'Its tags differ from those of ' || tuning_job_arn || ': ' || first_of(tag_keys, 5) as message,
from differences
