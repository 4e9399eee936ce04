"""The set-based evaluation: SQL models and formulas that decide every principal and action at once."""

from pipeline.evaluate.run import evaluate, of_all

__all__ = ["evaluate", "of_all"]
