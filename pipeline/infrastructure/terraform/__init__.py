"""Terraform plans as the old and new side of a change."""

from pipeline.infrastructure.terraform.plan import read_plan, recognises
from pipeline.infrastructure.terraform.reading import DRAFT

__all__ = ["DRAFT", "read_plan", "recognises"]
