"""Example values that look like real ones: for condition keys, and for ARNs. Decides nothing; callers try them out."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from pipeline.evaluate import globs, sagemaker_samples, texts
from pipeline.evaluate.globs import Glob, Token
from pipeline.evaluate.sagemaker_samples import IDS, KMS_KEY_IDS
from pipeline.iam import grammar

#: Accounts of examples where no account is known (AWS's documentation uses them).
ACCOUNT, OTHER_ACCOUNT = sagemaker_samples.ACCOUNT, sagemaker_samples.OTHER_ACCOUNT
#: Regions to try, the most usual first.
REGIONS = (
    "us-east-1", "eu-west-1", "us-west-2", "eu-central-1", "us-east-2", "ap-southeast-2", "ap-northeast-1",
    "ap-south-1",
    "us-west-1", "ca-central-1", "eu-west-2", "eu-west-3", "eu-north-1", "eu-south-1", "sa-east-1", "ap-southeast-1",
    "ap-northeast-2", "ap-northeast-3", "ap-east-1", "af-south-1", "me-south-1", "me-central-1", "il-central-1",
    "cn-north-1", "cn-northwest-1", "us-gov-west-1", "us-gov-east-1",
)  # fmt: skip
#: Names of resources, tried one after the other.
NAMES = ("example", "sample-1", "demo-2", "x7k2p9")
SESSION_NAMES = ("alice", "bob", "session-1")
_ROLE = f"arn:aws:iam::{ACCOUNT}:role/example"
#: Values of keys, or of keys that begin so, each with a second one that differs.
VALUES: dict[str, tuple[str, ...]] = {
    "aws:sourceip": ("198.51.100.25", "203.0.113.77", "2001:db8::77"),
    "aws:vpcsourceip": ("10.0.1.25", "172.16.4.9"),
    "aws:sourcevpc": tuple(f"vpc-{end}" for end in IDS),
    "aws:sourcevpce": tuple(f"vpce-{end}" for end in IDS),
    "aws:ec2instancesourcevpc": tuple(f"vpc-{end}" for end in IDS),
    "aws:ec2instancesourceprivateipv4": ("10.0.1.25", "172.16.4.9"),
    "aws:currenttime": ("2026-11-25T09:00:00Z", "2030-01-01T00:00:00Z"),
    "aws:tokenissuetime": ("2026-11-25T08:00:00Z", "2030-01-01T00:00:00Z"),
    "aws:multifactorauthage": ("300", "86400"),
    "aws:useragent": ("aws-cli/2.15.0", "Boto3/1.35.0"),
    "aws:referer": ("https://console.aws.amazon.com/", "https://example.com/"),
    "aws:requestedregion": REGIONS,
    "aws:calledvia": ("cloudformation.amazonaws.com", "athena.amazonaws.com"),
    "aws:principalarn": (_ROLE, f"arn:aws:iam::{OTHER_ACCOUNT}:role/other"),
    "aws:principalaccount": (ACCOUNT, OTHER_ACCOUNT),
    "aws:principaltype": ("AssumedRole", "User"),
    "aws:principalorgid": ("o-a1b2c3d4e5", "o-z9y8x7w6v5"),
    "aws:principalorgpaths": ("o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/", "o-z9y8x7w6v5/r-zy98/ou-zy98-22222222/"),
    "aws:resourceaccount": (ACCOUNT, OTHER_ACCOUNT),
    "aws:resourceorgid": ("o-a1b2c3d4e5", "o-z9y8x7w6v5"),
    "aws:resourceorgpaths": ("o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/", "o-z9y8x7w6v5/r-zy98/ou-zy98-22222222/"),
    "aws:sourceaccount": (ACCOUNT, OTHER_ACCOUNT),
    "aws:sourcearn": (f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:notebook-instance/example", _ROLE),
    "aws:sourceorgid": ("o-a1b2c3d4e5", "o-z9y8x7w6v5"),
    "aws:sourceidentity": ("alice", "bob"),
    "aws:userid": ("AROAIOSFODNN7EXAMPLE:alice", "AIDAIOSFODNN7EXAMPLE"),
    "aws:username": ("alice", "bob"),
    "iam:passedtoservice": ("sagemaker.amazonaws.com", "lambda.amazonaws.com"),
    "iam:associatedresourcearn": (f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:notebook-instance/example", _ROLE),
    "sts:externalid": ("a1b2c3d4", "z9y8x7w6"),
    "sts:rolesessionname": ("alice", "bob"),
    **sagemaker_samples.VALUES,
}
KMS_ENDINGS = ("kmskey", "kmskeyarn")
KMS_KEYS = tuple(
    f"arn:aws:kms:us-east-1:{account}:key/{key}"
    for account, key in zip((ACCOUNT, OTHER_ACCOUNT), KMS_KEY_IDS, strict=True)
)
#: By what the key ends with.
ENDINGS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(KMS_ENDINGS, KMS_KEYS),
    "arn": (f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model/example", _ROLE),
    "role": (_ROLE, f"arn:aws:iam::{OTHER_ACCOUNT}:role/other"),
    "arns": (f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model/example", _ROLE),
}
#: By data type.
OF_TYPE: dict[str, tuple[str, ...]] = {
    "ARN": (_ROLE, f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model/example"),
    "Bool": ("true", "false"),
    "Numeric": ("1", "3600"),
    "Date": ("2026-11-25T09:00:00Z", "2030-01-01T00:00:00Z"),
    "IPAddress": ("198.51.100.25", "203.0.113.77"),
}
PLAIN = ("example", "another", "something-else")
_MOST_SECONDS = 10**11


def values(key: str, value_type: str | None) -> tuple[str, ...]:
    """Return example values of a key (in lower case)."""
    of_type = (value_type or "").removeprefix("ArrayOf")
    return (*of_key(key), *OF_TYPE.get(of_type, ()), *(PLAIN if of_type in ("", "String", "ARN") else ()))


def begun(start: str) -> tuple[str, ...]:
    """Return example values that begin with what is known of them; none where nothing is, and of ARNs."""
    return tuple(start + name for name in SESSION_NAMES) if start and not start.startswith("arn:") else ()


def of_key(key: str) -> tuple[str, ...]:
    """Return example values of a well-known key (in lower case); of others none."""
    found = VALUES.get(key) or VALUES.get(_family(key))
    return found or next((ENDINGS[end] for end in ENDINGS if key.endswith(end)), ())


def _family(key: str) -> str:
    return "aws:calledvia" if key.startswith("aws:calledvia") else key


def like(key: str, value: str, has_variables: bool) -> Iterator[str]:
    """Yield texts that a pattern of a test on a key matches: ARNs field by field, other wildcards as what stands there
    in values of the key, as a word or a digit, then as little as can be."""
    parts = grammar.parts(value, has_variables)
    ends = _ends(key)
    pattern = globs.glob(parts)
    if globs.fields(pattern) is not None:
        service = "kms" if key.endswith(KMS_ENDINGS) else "sagemaker"
        yield from itertools.islice(arns(pattern, REGIONS, (ACCOUNT, OTHER_ACCOUNT), (*ends, *NAMES), service), 4)
    for star, mark in (*((end, "1") for end in (*_rests(key, value), *ends)), ("example", "1"), ("1", "a"), ("", "0")):
        filled = {"star": star, "mark": mark}
        yield "".join(filled.get(part.kind, part.text) for part in parts)


def _rests(key: str, value: str) -> tuple[str, ...]:
    """Return what may stand for the wildcard of a pattern of ARNs that does not tell all their fields."""
    written = value.partition("*")[0].count(":")
    if not value.startswith("arn:") or value.count(":") >= grammar.ARN_FIELDS - 1:
        return ()
    return tuple(":".join(arn.split(":")[written:]) for arn in of_key(key) or OF_TYPE["ARN"])


def _ends(key: str) -> tuple[str, ...]:
    """Return what values of a key end in, where that is an id."""
    if key.endswith(KMS_ENDINGS):
        return KMS_KEY_IDS
    return IDS if any(value.endswith(IDS[0]) for value in of_key(key)) else ()


def moment(text: str) -> Iterator[str]:
    """Yield an instant in seconds as ISO 8601, first without its fraction."""
    seconds = grammar.instant(text)
    for some in () if seconds is None else (Decimal(int(seconds)), Decimal(int(seconds) + 1), seconds):
        if written := texts.moment(some):
            yield written


def rounded(text: str) -> Iterator[str]:
    """Yield the whole numbers beside a number."""
    value = grammar.number(text)
    if value is not None and abs(value) < Decimal(_MOST_SECONDS):
        yield str(int(value))
        yield str(int(value) + 1)


def arns(
    pattern: Glob,
    regions: Sequence[str],
    accounts: Sequence[str],
    names: Sequence[str] = NAMES,
    service: str = "sagemaker",
) -> Iterator[str]:
    """Yield texts that look like ARNs the glob matches; a glob that is no ARN's has its wildcards filled."""
    fields = globs.fields(pattern)
    if pattern.is_everything:
        yield from (f"arn:aws:{service}:{regions[0]}:{accounts[0]}:{name}" for name in names)
    elif fields is None:
        yield from (_filled(pattern.tokens, name) for name in names)
    else:
        *start, last = fields
        usual = zip(start, ("arn", "aws", service), strict=False)
        place = tuple(_filled(field.tokens, word) for field, word in usual)
        ends = itertools.product(names, _in_field(start[3], regions), _in_field(start[4], accounts))
        yield from (":".join((*place, region, account, _filled(last.tokens, name))) for name, region, account in ends)


def _in_field(field: Glob, candidates: Iterable[str]) -> list[str]:
    if field.literal is not None:
        return [field.literal]
    within = globs.bound(field)
    return [text for text in candidates if globs.matches(within, text)] or [_filled(field.tokens, "1")]


def _filled(tokens: Sequence[Token], word: str) -> str:
    written = {"run": word, "any": "1"}
    return "".join(written.get(token.kind, token.text) for token in tokens if not token.is_implied)
