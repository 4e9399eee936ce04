"""Checks the values of a named query's parameters: what the query cannot use is wrong usage, not an empty answer."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from pipeline.errors import PolicylakeError
from pipeline.iam import grammar
from pipeline.lake.names import action_of, actions_of, keys_of, principal_of, resource_of
from pipeline.lake.queries import NamedQuery, Parameter, command_query
from pipeline.lake.read import Lake

SERVICE_PRINCIPAL = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+", re.ASCII)
ENDPOINT_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", re.ASCII)
MOST_DAYS = 1_000_000
#: The word for the newest date of the exports.
OF_EXPORTS = "exports"
#: The year 2100, far enough for a policy.
MOST_SECONDS = 4_102_444_800


def settled(lake: Lake, query: NamedQuery, values: Mapping[str, str]) -> dict[str, str]:
    """Return the value of each parameter as the query takes it: names resolved, the others with their defaults.

    Raises PolicylakeError for a parameter that the query does not have, for one that is missing, and for a value that
    is none of its kind.
    """
    known = {parameter.name: parameter for parameter in query.parameters}
    for name in values:
        if name not in known:
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            raise PolicylakeError(f"query {query.name}: no parameter {name}; {takes}")
    return {name: _settled(lake, query.name, parameter, values.get(name)) for name, parameter in known.items()}


def _settled(lake: Lake, query: str, parameter: Parameter, given: str | None) -> str:
    if given is None:
        if parameter.default is None:
            remedy = f"give --set {parameter.name}={parameter.example or 'VALUE'}"
            raise PolicylakeError(f"query {query}: the parameter {parameter.name} is missing; {remedy}")
        return parameter.default
    try:
        return _one_of(parameter.values, given) if parameter.values else KINDS[parameter.kind](lake, given)
    except PolicylakeError as error:
        raise PolicylakeError(f"query {query}: --set {parameter.name}={error}") from error


def _one_of(values: tuple[str, ...], given: str) -> str:
    for value in values:
        if value.lower() == given.lower():
            return value
    raise PolicylakeError(f"{given}: one of these is expected: {', '.join(values)}")


def _pattern_of_actions(lake: Lake, given: str) -> str:
    actions_of(lake, given)
    return given


def _pattern_of_keys(lake: Lake, given: str) -> str:
    keys_of(lake, given)
    return given


def _endpoint(lake: Lake, given: str) -> str:
    if given == "*" or given.startswith("arn:"):
        return resource_of(given) or given
    if ENDPOINT_NAME.fullmatch(given):
        return given
    raise PolicylakeError(f"{given}: the name or the ARN of one endpoint is expected, without wildcards, or * alone")


def _service(lake: Lake, given: str) -> str:
    if given != "*" and given.lower() not in lake.query(command_query("service_names"))["service"].to_pylist():
        raise PolicylakeError(f"{given}: no policy and no reference has this service; give a prefix such as s3, or *")
    return given


def _service_principal(lake: Lake, given: str) -> str:
    if not SERVICE_PRINCIPAL.fullmatch(given.lower()):
        raise PolicylakeError(f"{given}: a service principal is expected, such as sagemaker.amazonaws.com")
    return given.lower()


def _days(lake: Lake, given: str) -> str:
    if not (given.isascii() and given.isdigit() and int(given) <= MOST_DAYS):
        raise PolicylakeError(f"{given}: a whole number of days is expected, such as 90")
    return given


def _percent(lake: Lake, given: str) -> str:
    if not (re.fullmatch(r"[0-9]{1,3}(\.[0-9]+)?", given, re.ASCII) and float(given) <= 100):
        raise PolicylakeError(f"{given}: a number from 0 to 100 is expected")
    return given


def _moment(lake: Lake, given: str) -> str:
    if given.lower() == OF_EXPORTS:
        return OF_EXPORTS
    seconds = grammar.instant(given)
    if seconds is None or abs(seconds) > MOST_SECONDS:
        expected = f"{OF_EXPORTS}, a day or a moment is expected, such as 2026-11-25 or 2026-11-25T12:00:00Z"
        raise PolicylakeError(f"{given}: {expected}")
    return datetime.fromtimestamp(float(seconds), UTC).isoformat()


#: What the values of a parameter are, and how one is read; what it cannot be raises PolicylakeError.
KINDS: dict[str, Callable[[Lake, str], str]] = {
    "principal": principal_of,
    "action": action_of,
    "actions": _pattern_of_actions,
    "condition_keys": _pattern_of_keys,
    "endpoint": _endpoint,
    "service": _service,
    "service_principal": _service_principal,
    "days": _days,
    "percent": _percent,
    "text": lambda lake, given: given,
    "moment": _moment,
}
