"""The forms of ARNs that the service reference gives resource types. Source: SAR."""

import re
from functools import lru_cache

from pipeline.iam import grammar
from pipeline.iam.matching import like


def is_of_form(resource: str, arn_format: str) -> bool:
    """Whether a resource can be one of an ARN format, whose ``${...}`` stand for anything."""
    return not arn_format or like(_form(arn_format), resource)


@lru_cache(maxsize=4096)
def _form(arn_format: str) -> tuple[grammar.Part, ...]:
    return grammar.parts(re.sub(r"\$\{[^}]*\}", "*", arn_format), False)
