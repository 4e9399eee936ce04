"""How tests ask simulate: objects in, objects out."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from ingest_inputs import arn, document

from pipeline import reference
from pipeline.lake import Lake
from pipeline.simulate import simulate_lines

Json = Any
KNOWN = reference.load()
NOTEBOOK = "arn:aws:sagemaker:us-east-1:111122223333:notebook-instance/vision-01"


def answers(lines: Iterable[Json], lake: Lake | Callable[[], Lake] | None = None, **options: Json) -> list[Json]:
    texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    return [json.loads(text) for text in simulate_lines(texts, lake, KNOWN, **options)]


def ask(principal: str = arn("user/ana"), action: str = "sagemaker:DescribeNotebookInstance", **members: Json) -> Json:
    return {"principal": principal, "action": action, "resource": NOTEBOOK, **members}


def allowed_if(operator: str, key: str, value: Json) -> Json:
    """Return a policy that allows everything under one condition."""
    return document("*", Condition={operator: {key: value}})
