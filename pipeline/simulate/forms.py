"""The forms of ARNs: those that the service reference gives resource types, and what no ARN of a resource has.

Source: SAR; AWS General Reference, Amazon Resource Names; S3, Bucket naming rules and Object key names.
"""

import re
from functools import lru_cache

from pipeline.iam import grammar
from pipeline.iam.matching import like
from pipeline.iam.services import WITHOUT_SLASH, ends_in_any_text

PARTITION = re.compile(r"aws(-[a-z]+)*")
#: Names of regions in a partition; of others a word more can stand in them.
REGIONS = {
    "aws": re.compile(r"(?!cn-)[a-z]{2}-[a-z]+-[0-9]{1,2}"),
    "aws-cn": re.compile(r"cn-[a-z]+-[0-9]{1,2}"),
    "aws-us-gov": re.compile(r"us-gov-[a-z]+-[0-9]{1,2}"),
}
OTHER_REGION = re.compile(r"[a-z]{2,5}(-[a-z]+){1,2}-[0-9]{1,2}")
#: Some resources belong to AWS itself: their ARNs have its name in the place of an account.
OWNER = re.compile(r"[0-9]{12}|aws")
ONE = "a request names one resource"
WILDCARD = re.compile(r"[*?]")
#: What can have ``*`` and ``?`` in its name: keys of S3 objects.
ANY_CHARACTER = "${ObjectName}"


def is_of_form(resource: str, arn_format: str) -> bool:
    """Whether a resource can be one of an ARN format, whose ``${...}`` stand for anything without a colon,
    but for names at the end that may hold some."""
    if not arn_format:
        return True
    if arn_format in WITHOUT_SLASH and "/" in resource:
        return False
    forms = _fields(arn_format)
    fields = resource.split(":", len(forms) - 1) if _takes_colons(arn_format) else resource.split(":")
    return len(fields) == len(forms) and all(like(form, field) for form, field in zip(forms, fields, strict=True))


def _takes_colons(arn_format: str) -> bool:
    """Whether colons beyond those of the format can follow, in the name at its end."""
    return ends_in_any_text(arn_format) or arn_format.endswith(":*")


@lru_cache(maxsize=4096)
def _fields(arn_format: str) -> tuple[tuple[grammar.Part, ...], ...]:
    fields = re.sub(r"\$\{[^}]*\}", "*", arn_format).split(":")
    return tuple(grammar.parts(field, False) for field in fields)


def flaw(resource: str, arn_format: str | None) -> str | None:
    """Return what a resource has that no ARN of one has, as words that follow it; None where there is nothing.

    ``arn_format`` is one that it is of, None where no format is known.
    """
    _, partition, service, _, account, _ = resource.split(":", grammar.ARN_FIELDS - 1)
    if not PARTITION.fullmatch(partition):
        return f"has {partition} for a partition, which is aws, aws-cn, aws-us-gov or the like"
    if WILDCARD.search(service + account):
        return f"has a wildcard, but {ONE}"
    if _split(arn_format)[4] == "${Account}" and not OWNER.fullmatch(account):
        return f"has {account or 'nothing'} for an account, which is of twelve digits"
    return None


def oddity(resource: str, arn_format: str | None) -> str | None:
    """Return what hardly any resource has, as words that follow it: no region, or one that is none of its partition's
    by its form, for new ones come, or a wildcard in its name, which a policy's literal ``${*}`` can mean."""
    _, partition, _, region, _, name = resource.split(":", grammar.ARN_FIELDS - 1)
    if not region and _split(arn_format)[3] == "${Region}":
        return "names no region, which every resource of its type is in"
    if region and not REGIONS.get(partition, OTHER_REGION).fullmatch(region):
        return f"has {region} for a region, and no region of {partition} is named so"
    if WILDCARD.search(name) and ANY_CHARACTER not in _split(arn_format)[5]:
        return f"has a wildcard in its name, which is taken as it stands: {ONE}"
    return None


def _split(arn_format: str | None) -> list[str]:
    return (arn_format or ":" * (grammar.ARN_FIELDS - 1)).split(":", grammar.ARN_FIELDS - 1)
