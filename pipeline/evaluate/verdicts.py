"""How the verdicts of rows make that of a resource type, and those of resource types that of an action.

A build and a scenario both decide by it; the page, which reads cells again by itself, does the same in
``FORMULA.cell`` of reports/formula.js (held to this by tests/test_report_formulas.py).
"""

from collections.abc import Iterable, Sequence
from typing import Literal

Verdict = Literal["allowed", "conditional", "denied", "blocked", "none"]
#: What a condition comes to where something of requests is known.
Known = Literal["allowed", "conditional", "denied"]
#: From the weakest.
_ORDER: tuple[Verdict, ...] = ("none", "denied", "blocked", "conditional", "allowed")


def is_granted(verdict: str) -> bool:
    """Whether a verdict lets some request through."""
    return verdict in ("allowed", "conditional")


def strongest(verdicts: Sequence[Verdict]) -> int:
    """Return the place of the best verdict, of several the first: a resource type is as open as its best row."""
    return max(range(len(verdicts)), key=lambda place: _ORDER.index(verdicts[place]))


def deciding(is_required: Sequence[bool], verdicts: Sequence[Verdict]) -> int:
    """Return the place of the resource type whose verdict is the action's.

    Every required type must be met by one call, so the weakest of them decides; where none is required, the best.
    """
    required = [place for place, needed in enumerate(is_required) if needed]
    if not required:
        return strongest(verdicts)
    return min(required, key=lambda place: _ORDER.index(verdicts[place]))


def granting_layer(layers: Iterable[str]) -> str:
    """Return the layer that a grant is told to come from, out of those of the statements that grant it."""
    return "identity" if "identity" in layers else "resource"
