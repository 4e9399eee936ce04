"""Leaves out rows that add no access: their resources are those of another row too, under as weak a condition."""

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from pipeline.evaluate import globs
from pipeline.evaluate.scopes import scope_of
from pipeline.evaluate.solver import Solver
from pipeline.evaluate.statements import pattern_glob
from pipeline.iam import grammar

if TYPE_CHECKING:
    from pipeline.evaluate.cells import AccessRow

ACCOUNT_FIELD = 4


def without_covered(rows: Sequence["AccessRow"], solver: Solver) -> tuple["AccessRow", ...]:
    """Return the rows of an action without those that another one covers with all its reasons, in their order."""
    wide = [(row, frozenset(row.granted_by), frozenset(row.limited_by)) for row in rows if _is_wide(row.pattern)]
    return tuple(
        row
        for row in rows
        if not any(
            granted.issuperset(row.granted_by)
            and limited.issuperset(row.limited_by)
            and _adds_nothing(row, other, solver)
            for other, granted, limited in wide
        )
    )


def _is_wide(pattern: str) -> bool:
    """Whether a pattern may reach what another one is: one without a wildcard is one resource, written in one way.

    Resources that other accounts share are many, each by its ARN.
    """
    return any(sign in pattern for sign in "*?$")


def _adds_nothing(row: "AccessRow", other: "AccessRow", solver: Solver) -> bool:
    """Whether all that a row allows is allowed by another. Of two that cover each other the first by pattern stays."""
    if row.pattern == other.pattern or row.kind != other.kind:
        return False
    own = _own_account(row.kind.universe) if row.kind else None
    return (
        _covers(other.pattern, row.pattern, own)
        and not (row.pattern < other.pattern and _covers(row.pattern, other.pattern, own))
        and all(_is_out_anyway(exception, row) for exception in other.exceptions)
        and (other.formula is True or row.formula == other.formula or solver.implies(row.formula, other.formula))
    )


def _is_out_anyway(exception: str, row: "AccessRow") -> bool:
    """Whether a row has none of the resources that an exception takes out."""
    scope = scope_of(row.kind.anywhere, row.pattern) if row.kind else None
    reached = scope.globs if scope else (pattern_glob(row.pattern),)
    return exception in row.exceptions or not globs.relation(reached, pattern_glob(exception)).inside


@lru_cache(maxsize=1 << 16)
def _covers(wide: str, narrow: str, own_account: str | None) -> bool:
    """Whether a pattern reaches all that another one reaches.

    Another account's resources are reached only where the pattern writes that account out. What an unknown variable
    stands for nobody knows: in the narrow pattern it may be anything, in the wide one it is no more than itself.
    """
    if any(part.kind == "variable" for part in grammar.parts(wide, True)):
        return False
    account = _account(narrow)
    is_foreign = account not in ("", own_account, _account(wide)) and not any(sign in account for sign in "*?$")
    return not is_foreign and not globs.relation((pattern_glob(narrow),), pattern_glob(wide)).outside


def _account(pattern: str) -> str:
    fields = pattern.split(":", ACCOUNT_FIELD + 1)
    return fields[ACCOUNT_FIELD] if len(fields) > ACCOUNT_FIELD else ""


@lru_cache(maxsize=1 << 14)
def _own_account(universe: globs.Glob) -> str | None:
    """Return the account of a type's resources, None where that is no certain one."""
    fields = globs.fields(universe)
    return fields[ACCOUNT_FIELD].literal if fields else None
