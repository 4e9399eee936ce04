"""Turns what was read into rows of the flattened relations. No I/O, no opinion on what a policy grants."""

from pipeline.flatten.rows import Rows, flatten

__all__ = ["Rows", "flatten"]
