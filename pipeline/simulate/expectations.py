"""Holds decisions to what their lines expect. Decides nothing itself, and prints nothing.

``expect`` is a word, or an object with ``decision``, ``blocked_by`` and ``sids``.
"""

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Literal, NamedTuple, get_args

from pipeline.errors import PolicylakeError
from pipeline.iam.decide import Layer, Outcome
from pipeline.iam.written import type_of
from pipeline.simulate.lines import decoded, id_of, refused

#: The decisions that each word stands for.
WORDS: Mapping[str, frozenset[str]] = {
    **{word: frozenset({word}) for word in get_args(Outcome)},
    "denied": frozenset(get_args(Outcome)) - {"allowed"},
}
#: What ``blocked_by`` can hold.
STOPS = (*get_args(Layer), "partition")
REMEDY = f"write one of {', '.join(WORDS)}, or an object with decision, blocked_by or sids"
Verdict = Literal["holds", "differs", "error"]


class Expectation(NamedTuple):
    """What a decision must be: one that ``decision`` stands for, stopped by exactly ``blocked_by``, with statements of
    all ``sids`` among those that applied. None, and no Sid, ask for nothing.
    """

    decision: str | None
    blocked_by: frozenset[str] | None
    sids: tuple[str, ...]

    def is_met_by(self, answer: Mapping[str, Any]) -> bool:
        """Whether an answer is as expected."""
        return not self.unmet(answer)

    def unmet(self, answer: Mapping[str, Any]) -> list[tuple[str, str, str]]:
        """Return what differs: the member, what was expected, and what there is instead."""
        found = []
        if self.decision is not None and answer["decision"] not in WORDS[self.decision]:
            found.append(("decision", self.decision, answer["decision"]))
        stops = frozenset(answer["blocked_by"])
        if self.blocked_by is not None and stops != self.blocked_by:
            found.append(("blocked_by", _listed(self.blocked_by), _listed(stops)))
        applied = [hit["sid"] for hit in answer["statements"] if hit["sid"]]
        lacking = [sid for sid in self.sids if sid not in applied]
        if lacking:
            found.append(("sids", ", ".join(lacking), ", ".join(applied) or "none"))
        return found


class Checked(NamedTuple):
    """A line with its answer: ``answer`` has ``as_expected`` besides; ``request`` is what could be read of the line."""

    number: int
    request: Mapping[str, Any]
    expectation: Expectation | None
    answer: Mapping[str, Any]

    @property
    def verdict(self) -> Verdict:
        """Whether the expectation holds. A line without a decision, or without an expectation, is an error."""
        if self.answer["decision"] == "error":
            return "error"
        return "holds" if self.answer["as_expected"] else "differs"


def checked_lines(lines: Iterable[str], decide: Callable[[Iterable[str]], Iterator[str]]) -> Iterator[Checked]:
    """Yield each line that is not blank with its decision, held to what it expects.

    ``decide`` answers lines in order, one answer for each that is not blank, as ``simulate_lines`` does.
    """
    taken: deque[tuple[int, str]] = deque()

    def noted() -> Iterator[str]:
        for number, text in enumerate(lines, start=1):
            if text.strip():
                taken.append((number, text))
            yield text

    for answer in decide(noted()):
        yield _checked(*taken.popleft(), json.loads(answer))


def _checked(number: int, text: str, answer: dict[str, Any]) -> Checked:
    request: Mapping[str, Any] = {}
    with suppress(PolicylakeError):  # the answer tells it already
        request = decoded(text)
    if answer["decision"] == "error":
        return Checked(number, request, None, {**answer, "as_expected": False})
    try:
        expectation = read_expectation(request)
    except PolicylakeError as error:
        failed = refused(id_of(request), number, error)
        return Checked(number, request, None, {**failed, "as_expected": False})
    return Checked(number, request, expectation, {**answer, "as_expected": expectation.is_met_by(answer)})


def read_expectation(request: Mapping[str, Any]) -> Expectation:
    """Return what a decoded line expects. Raises PolicylakeError that says what to write."""
    if request.get("expect") is None:
        near = "; expected is no member of a line" if "expected" in request else ""
        raise PolicylakeError(f"expect is missing{near}; {REMEDY}")
    value = request["expect"]
    if isinstance(value, str):
        return Expectation(_word(value, "expect"), None, ())
    if not isinstance(value, dict):
        raise PolicylakeError(f"expect is {type_of(value)}; {REMEDY}")
    unknown = next((name for name in value if name not in Expectation._fields), None)
    if unknown is not None or not value:
        what = "expect is empty" if unknown is None else f"expect has no member {json.dumps(unknown)}"
        raise PolicylakeError(f"{what}; {REMEDY}")
    decision = _word(value["decision"], "expect/decision") if "decision" in value else None
    stops = frozenset(_texts(value, "blocked_by")) if "blocked_by" in value else None
    wrong = next(iter(sorted((stops or frozenset()) - {*STOPS})), None)
    if wrong is not None:
        raise PolicylakeError(f"expect/blocked_by holds {json.dumps(wrong)}; the layers are {', '.join(STOPS)}")
    return Expectation(decision, stops, tuple(_texts(value, "sids")) if "sids" in value else ())


def _word(value: object, name: str) -> str:
    if not isinstance(value, str) or value not in WORDS:
        shown = json.dumps(value[:100]) if isinstance(value, str) else type_of(value)
        raise PolicylakeError(f"{name} is {shown}; write one of {', '.join(WORDS)}")
    return value


def _texts(value: Mapping[str, Any], name: str) -> list[str]:
    listed = value[name]
    if not isinstance(listed, list) or not all(isinstance(text, str) for text in listed):
        raise PolicylakeError(f"expect/{name} is no list of texts; write one")
    return listed


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"
