"""Controls: what is looked for in a lake, the findings, and the risks that are accepted. Must not print, nor exit."""

from pipeline.controls.accepted import FILE, ExceptionRule, read_exceptions
from pipeline.controls.files import load_controls
from pipeline.controls.find import find
from pipeline.controls.model import FINDINGS, SEVERITIES, Control

__all__ = ["FILE", "FINDINGS", "SEVERITIES", "Control", "ExceptionRule", "find", "load_controls", "read_exceptions"]
