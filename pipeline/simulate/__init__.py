"""Decides requests given as JSON lines, by the concrete evaluator. Reads the lake; prints and writes nothing."""

from pipeline.simulate.answer import Decided, contradiction, decided_request, simulate_lines, unowned_bucket
from pipeline.simulate.expectations import Checked, checked_lines
from pipeline.simulate.from_lake import named_in
from pipeline.simulate.remarks import Remarks

__all__ = [
    "Checked",
    "Decided",
    "Remarks",
    "checked_lines",
    "contradiction",
    "decided_request",
    "named_in",
    "simulate_lines",
    "unowned_bucket",
]
