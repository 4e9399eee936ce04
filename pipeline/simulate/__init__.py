"""Decides requests given as JSON lines, by the concrete evaluator. Reads the lake; prints and writes nothing."""

from pipeline.simulate.answer import Decided, decided_request, simulate_lines
from pipeline.simulate.expectations import Checked, checked_lines

__all__ = ["Checked", "Decided", "checked_lines", "decided_request", "simulate_lines"]
