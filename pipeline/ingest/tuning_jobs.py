"""Reads the output of ``aws sagemaker list-training-jobs-for-hyper-parameter-tuning-job``."""

from collections.abc import Iterator

import msgspec

from pipeline.flatten.records import TrainingJobRecord
from pipeline.iam.grammar import account_in
from pipeline.ingest.arns import RESOURCE_ARN
from pipeline.ingest.dates import Date, undated, utc
from pipeline.ingest.decode import Page, each, unrepeated
from pipeline.ingest.documents import DocumentStore
from pipeline.ingest.endings import follows
from pipeline.ingest.parts import PagePart, Part, TrainingJobPart

CONTENT = "tuning-jobs"
RECOGNISES = "list-training-jobs-for-hyper-parameter-tuning-job: TrainingJobSummaries"
YIELDS = "training jobs with the ARN of their tuning job"


class TrainingJob(msgspec.Struct, rename="pascal"):
    """A member of TrainingJobSummaries."""

    training_job_arn: str
    tuning_job_name: str | None = None
    training_job_status: str | None = None
    creation_time: Date = None


def recognises(names: frozenset[str]) -> bool:
    """Whether an object with these members is a page of training jobs."""
    return "TrainingJobSummaries" in names


def read(page: Page, documents: DocumentStore) -> Iterator[Part]:
    """Yield the training jobs of the page."""
    del documents
    page = yield from unrepeated(page)
    scopes: set[tuple[str, str]] = set()
    for part in each(page, "TrainingJobSummaries", TrainingJob, "training job", lambda at, job: _job(page, at, job)):
        if isinstance(part, TrainingJobPart):
            scopes.add((account_in(part.record.training_job_arn), part.record.tuning_job_arn or ""))
        yield part
    yield PagePart(page.source, page.pointer, CONTENT, frozenset(scopes), follows(page.members, "NextToken"))


def _job(page: Page, pointer: str, job: TrainingJob) -> Iterator[Part]:
    if not RESOURCE_ARN.fullmatch(job.training_job_arn):
        message = f"{job.training_job_arn!r} is not an ARN"
        remedy = "export it again; this was left out"
        yield page.reject(f"{pointer}/TrainingJobArn", "error", "bad-arn", message, remedy)
        return
    prefix = ":".join(job.training_job_arn.split(":", 5)[:5])
    tuning_job = f"{prefix}:hyper-parameter-tuning-job/{job.tuning_job_name}" if job.tuning_job_name else None
    yield from undated(page, pointer, (("CreationTime", job.creation_time),))
    record = TrainingJobRecord(job.training_job_arn, tuning_job, job.training_job_status, utc(job.creation_time))
    yield TrainingJobPart(page.source, page.pointer + pointer, record)
