"""What a long piece of work says of itself while it runs. Must not print."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias


class Step(NamedTuple):
    """Where work stands: ``done`` of ``of`` things of the kind ``unit`` in a stage; 0 of 0 where nothing is counted.

    A stage lasts until the first step of another one.
    """

    stage: str
    done: int = 0
    of: int = 0
    unit: str = ""


Progress: TypeAlias = Callable[[Step], None]


def silent(step: Step) -> None:
    """Say nothing."""
    del step
