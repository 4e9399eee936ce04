"""CloudFormation templates as the new side of a change."""

from pipeline.infrastructure.cloudformation.template import read_template, recognises

__all__ = ["read_template", "recognises"]
