"""The answers of a small part as Markdown: a row for each, and below them what else there is to know."""

from collections.abc import Sequence
from typing import Any

from pipeline.report.answers import Answers, Told
from pipeline.report.markdown_text import code, linked, table_row, text_of
from pipeline.wording import counted

#: Rows of answers of a part, and the characters that they may take.
MOST_ANSWERS = 40
MOST_CHARACTERS = 20_000
#: Names of principals, actions or resources in a row, and types of one resource.
MOST_NAMES = 6
MOST_TYPES = 3
#: Characters of a condition.
MOST_CONDITION = 1500
MOST_NOTES = 12
#: What profile_dependencies says of a further action of which AWS does not tell which calls need it; these stand last.
UNTOLD = "calls that AWS does not name"


def answers_in_markdown(answers: Answers | None, url: str | None) -> str:
    """Return what few principals can do, or who can call few actions: a row for each answer."""
    if answers is None:
        return ""
    is_action = answers.kind == "action"
    names = [linked(code(one.name), url, one.href) for one in answers.told]
    only = names[0] if len(names) == 1 else "them" if is_action else "they"
    title = f"### Who can {'' if len(names) == 1 else 'call '}{only}" if is_action else f"### What {only} can do"
    if not names:
        told = "tells who can call them" if is_action else "tells it"
        return f"{title}\n\n{counted(answers.total, answers.kind)} are too many for a comment: the HTML report {told}."
    named = [[name] if len(names) > 1 else [] for name in names]
    rows = [row for name, one in zip(named, answers.told, strict=True) for row in _rows(name, one)]
    concerned = "principal" if is_action else "action"
    notes = [note for name, one in zip(named, answers.told, strict=True) for note in _notes(name, one, concerned)]
    columns = [*([answers.kind] if named[0] else []), "verdict", "who" if is_action else "actions", "on", "condition"]
    shown: list[str] = []
    used = 0
    for line in rows[:MOST_ANSWERS]:
        if used + len(line) > MOST_CHARACTERS:
            break
        shown.append(line)
        used += len(line) + 1
    left = len(rows) - len(shown) + sum(section["rest_groups"] for one in answers.told for section in one.sections)
    where = f"[the HTML report]({url})" if url else "the HTML report"
    rest = [f"{left:,} more answers: {where} has them all."] if left else []
    table = "\n".join([table_row(columns), table_row(["---"] * len(columns)), *shown])
    notes = notes[:MOST_NOTES] + ([f"- and {len(notes) - MOST_NOTES} more"] if len(notes) > MOST_NOTES else [])
    return "\n\n".join([title, table, *rest, *(["\n".join(notes)] if notes else [])])


def _rows(name: Sequence[str], told: Told) -> list[str]:
    """Return the rows of an action or a principal; one to which nothing is granted, or which nobody can call, too."""
    rows = [(section["verdict"], group) for section in told.sections for group in section["groups"]]
    if not rows:
        return [table_row([*name, "none", "", "", "nothing is granted"])]
    return [
        table_row([*name, verdict, _what(group) if "parts" in group else _who(group), *_where(group)])
        for verdict, group in rows
    ]


def _notes(name: Sequence[str], told: Told, concerned: str) -> list[str]:
    """Return what else there is to know: what could not be read, and further actions that are missing.

    ``concerned`` says what these are counted by.
    """
    start = "- " + "".join(f"{one}: " for one in name)
    notes = [f"{start}The answers may be wrong. Missing: {text_of('; '.join(told.missing))}."] if told.missing else []
    return notes + [
        f"{start}Granted, but {code(gap['dependent_action'])} is missing for {counted(gap['count'], concerned)}: "
        f"{text_of(gap['reason'])} (needed by {text_of(gap['needed_when'])})"
        for gap in sorted(told.gaps, key=lambda gap: gap["needed_when"] == UNTOLD)
    ]


def _who(group: dict[str, Any]) -> str:
    """Return whom a group of an action names; those of several accounts each with its own."""
    listed = [principal for holders in group["holders"] for principal in holders["principals"]]
    count, place = group["who"]
    is_apart = len({principal["account"] for principal in listed}) > 1
    names = [
        code(one["name"])
        + (f" in {text_of(one['account'])}" if is_apart else "")
        + (" (incomplete)" if one["is_incomplete"] else "")
        for one in listed[:MOST_NAMES]
    ]
    left = len(listed) + group["more"] - len(names)
    return f"{count}{' ' if place else ''}{text_of(place)}: " + ", ".join(names) + _rest(left)


def _what(group: dict[str, Any]) -> str:
    names = [name for part in group["parts"] for _, listed in part["levels"] for name in listed]
    return f"{counted(len(names), 'action')}: " + _few(names, len(names))


def _where(group: dict[str, Any]) -> tuple[str, str]:
    """Return the resources and the condition of an answer, or what refuses it; of several scopes each on a line."""
    scopes = group["scopes"]
    apart = [place for part in group.get("parts", ()) for place in part["places"]]
    places = [_patterns(apart)] if apart else [_patterns(scope["places"]) for scope in scopes]
    excepted = [_excepted(scope["exceptions"]) for scope in scopes]
    where = [place + but for place, but in zip(places, excepted or [""], strict=True)] if places else []
    told = [text_of(scope["condition"], MOST_CONDITION) if scope["condition"] else "" for scope in scopes]
    lines = [one or "none" for one in told] if any(told) else []
    if group["more_scopes"]:
        where.append(f"and {counted(group['more_scopes'], 'more scope')}, in the HTML report")
    if group["is_partial"]:
        lines.append(_partial(group["lacking"]))
    if group["layer"]:
        lines.append(_refusal(group))
    return "<br>".join(where), "<br>".join(lines)


def _excepted(patterns: Sequence[str]) -> str:
    return f" but not {_few(patterns, len(patterns))}" if patterns else ""


def _partial(lacking: Sequence[str]) -> str:
    needs = f"{' and '.join(lacking)}, too" if lacking else "all of it at once, and no request meets all the conditions"
    return f"not enough: every call needs {text_of(needs)}"


def _refusal(group: dict[str, Any]) -> str:
    """Return what denies or blocks: the statements, and for those whom none does the layer in words."""
    name, words = group["layer"]
    statements = list(dict.fromkeys(one["text"] for holders in group["holders"] for one in holders["decided_by"]))
    told = [f"by {name}: {_few(statements, len(statements))}"] if statements else []
    if not all(holders["decided_by"] for holders in group["holders"]):
        told.append(f"by {words}")
    if group["more"]:
        told.append("of others the HTML report tells it")
    return "; ".join(told)


def _patterns(places: Sequence[tuple[str, Sequence[str]]]) -> str:
    """Return the patterns of resources, each once, with their types where they are of some types only."""
    types: dict[str, list[str]] = {}
    for pattern, some in places:
        types.setdefault(pattern, []).extend(some)
    shown = [
        code(pattern) + (f" ({_types(list(dict.fromkeys(some)))})" if some else "")
        for pattern, some in list(types.items())[:MOST_NAMES]
    ]
    return ", ".join(shown) + _rest(len(types) - len(shown))


def _types(types: Sequence[str]) -> str:
    return ", ".join(types) if len(types) <= MOST_TYPES else f"{len(types)} types"


def _rest(count: int) -> str:
    return f" and {count:,} more" if count > 0 else ""


def _few(names: Sequence[str], count: int) -> str:
    shown = [code(name) for name in names[:MOST_NAMES]]
    return ", ".join(shown) + _rest(count - len(shown))
