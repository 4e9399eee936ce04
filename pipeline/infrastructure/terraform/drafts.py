"""What is known before apply of a policy document: the Allow statements, counted as what allows most."""

import json
from collections.abc import Iterator
from typing import Any

from pipeline.iam import written
from pipeline.infrastructure.facts import (
    Json,
    as_list,
    as_object,
    text_of,
)
from pipeline.infrastructure.terraform.values import is_partly_unknown, is_unknown_within

#: Arguments that bring documents: beneath the statements of the data source itself, and over them.
SOURCES, OVERRIDES = ("source_json", "source_policy_documents"), ("override_json", "override_policy_documents")


def drafted(change: Json) -> str | None:
    """Return the Allow statements of a policy document that is not known as a whole, as far as they are known.

    What is unknown counts as what allows most: the rest of it can only allow less. A Deny is left out. Of statements of
    one Sid the last one counts: those of the data source over those of its sources, and what overrides over both.
    """
    after, unknown = as_object(change.get("after")), as_object(change.get("after_unknown"))
    flags = as_list(unknown.get("statement"))
    own = (
        _drafted_statement(statement, as_object(flags[number]) if number < len(flags) else {})
        for number, statement in enumerate(map(as_object, as_list(after.get("statement"))))
    )
    merged: dict[object, Json] = {}
    for statement in (*_brought(after, SOURCES), *own, *_brought(after, OVERRIDES)):
        merged[statement.get("Sid") or len(merged)] = statement
    allowing = [statement for statement in merged.values() if statement.get("Effect") == "Allow"]
    if not allowing:
        return None
    return json.dumps({"Version": after.get("version") or "2012-10-17", "Statement": allowing})


def _brought(after: Json, arguments: tuple[str, ...]) -> Iterator[Json]:
    """Yield the statements of documents that arguments bring, those that are known."""
    given = [after.get(argument) for argument in arguments]
    for text in (one for held in given for one in (held if isinstance(held, list) else [held]) if one):
        try:
            held = as_object(written.with_texts(written.loads(text_of(text) or ""))).get("Statement")
        except (ValueError, RecursionError):
            continue
        yield from map(as_object, held if isinstance(held, list) else [held])


def _drafted_statement(statement: Json, flag: Json) -> Json:
    found: Json = {"Effect": statement.get("effect") or "Allow"}
    if statement.get("sid"):
        found["Sid"] = statement["sid"]
    for positive, element in (("actions", "Action"), ("resources", "Resource")):
        negative = f"not_{positive}"
        if statement.get(negative) and not is_partly_unknown(flag.get(negative)):
            found[f"Not{element}"] = _variables(statement[negative])
        elif is_partly_unknown(flag.get(positive)) or is_partly_unknown(flag.get(negative)):
            found[element] = "*"
        else:
            found[element] = _variables(statement.get(positive)) or "*"
    conditions: dict[str, Json] = {}
    marks = as_list(flag.get("condition"))
    for number, condition in enumerate(map(as_object, as_list(statement.get("condition")))):
        if not (number < len(marks) and is_unknown_within(marks[number])):
            values = conditions.setdefault(str(condition.get("test")), {})
            values.setdefault(str(condition.get("variable")), []).extend(_variables(condition.get("values")))
    return {**found, **({"Condition": conditions} if conditions else {})}


def _variables(texts: Any) -> list[str]:
    """Return texts with policy variables as policies write them: the data source writes &{...}."""
    return [str(text).replace("&{", "${") for text in as_list(texts) if text is not None]
