"""Short spellings of repeated data in scripts; ``report.js`` reads them back."""

from collections.abc import Hashable, Iterable
from itertools import groupby
from typing import Generic, TypeVar

Thing = TypeVar("Thing", bound=Hashable)


class Numbered(Generic[Thing]):
    """Distinct things by the order in which they are first asked for."""

    def __init__(self) -> None:
        self._numbers: dict[Thing, int] = {}

    def __call__(self, thing: Thing) -> int:
        """Return the number of a thing."""
        return self._numbers.setdefault(thing, len(self._numbers))

    def all(self) -> list[Thing]:
        """Return the things in the order of their numbers."""
        return list(self._numbers)


def runs(text: str) -> str:
    """Spell a text of letters as letters with the length of their runs: aaac is a3c1."""
    return "".join(f"{letter}{sum(1 for _ in same)}" for letter, same in groupby(text))


def repeats(numbers: Iterable[int]) -> str:
    """Spell numbers with how often each comes in a row: 4 4 4 7 is 4*3,7."""
    counted = ((number, sum(1 for _ in same)) for number, same in groupby(numbers))
    return ",".join(str(number) if times == 1 else f"{number}*{times}" for number, times in counted)


def ranges(numbers: Iterable[int]) -> str:
    """Spell ascending numbers as ranges: 0 1 2 5 is 0-2,5."""
    spelt: list[list[int]] = []
    for number in numbers:
        if spelt and spelt[-1][1] == number - 1:
            spelt[-1][1] = number
        else:
            spelt.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in spelt)
