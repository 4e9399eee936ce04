"""Decides requests given as JSON lines, by the concrete evaluator. Reads the lake; prints and writes nothing."""

from pipeline.simulate.answer import simulate_lines

__all__ = ["simulate_lines"]
