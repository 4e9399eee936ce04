"""What changed between two snapshots: access gained, lost, and granted under another condition.

Reads lakes through queries and decides on formulas; it knows no command, no report and no format.
"""

from pipeline.diff.behind import Behind, behind
from pipeline.diff.gate import GATES, fails
from pipeline.diff.holders import told_once
from pipeline.diff.notes import notes
from pipeline.diff.resource_policies import policy_changes
from pipeline.diff.table import COLUMNS, NOTHING, Wanted, changes

__all__ = [
    "COLUMNS",
    "GATES",
    "NOTHING",
    "Behind",
    "Wanted",
    "behind",
    "changes",
    "fails",
    "notes",
    "policy_changes",
    "told_once",
]
