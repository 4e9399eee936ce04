"""Holds that a number stands for one text.

Numbers of statements, entries and action sets are the first 60 bits of hashes. Two texts of one number do not happen by
themselves, but whoever writes policies can look for a pair, to have a statement read as another one.
"""

import hashlib
from collections.abc import Iterable, Mapping

from pipeline.errors import PolicylakeError
from pipeline.lake.duck import Connection

SAME_NUMBER = (
    "two statements that say different things come to the same number of 60 bits, which somebody must have looked for; "
    "find the policies that were written for that and take them out of the input"
)
#: Texts by number: each must have one.
STATEMENTS = "select statement_number as number, content as text from account_statements"
ENTRIES = "select entry_number as number, entry as text from numbered_entries"
ACTION_SETS = """
    select action_set_id as number, string_agg(action, ',' order by action) as text
    from action_sets inner join action_list_matches using (action_list_id)
    group by statement_id, action_set_id
"""


def hold_one_text_each(connection: Connection, texts: Iterable[str] = (STATEMENTS, ENTRIES, ACTION_SETS)) -> None:
    """Raise PolicylakeError where a number stands for two texts; ``texts`` are queries of ``number`` and ``text``."""
    for query in texts:
        clash = f"select number from ({query}) group by number having min(text) != max(text) limit 1"
        if connection.execute(clash).fetchone():
            raise PolicylakeError(SAME_NUMBER)


class Texts:
    """Remembers what numbers stand for, by hash, from one account group to the next."""

    def __init__(self) -> None:
        self._digests: dict[int, bytes] = {}

    def hold(self, texts: Mapping[int, str]) -> None:
        """Remember texts. Raises PolicylakeError where a number stands for another one already."""
        for number, text in texts.items():
            digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
            if self._digests.setdefault(number, digest) != digest:
                raise PolicylakeError(SAME_NUMBER)
