"""The set-based evaluation: SQL models and formulas that decide every principal and action at once."""

from pipeline.evaluate.run import evaluate, evaluate_documents, of_all

__all__ = ["evaluate", "evaluate_documents", "of_all"]
