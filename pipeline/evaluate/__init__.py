"""The set-based evaluation: SQL models and formulas that decide every principal and action at once."""

from pipeline.evaluate.run import evaluate

__all__ = ["evaluate"]
