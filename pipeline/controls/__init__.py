"""Controls: what is looked for in a lake, the findings, and the risks that are accepted. Must not print, nor exit."""

from pipeline.controls.accepted import FILE, OF_EXCEPTIONS, ExceptionRule, read_exceptions
from pipeline.controls.files import load_controls
from pipeline.controls.find import find
from pipeline.controls.model import FINDINGS, PROMPT, SEVERITIES, Control, NotRun, remedy_parts
from pipeline.controls.not_run import NOT_RUN

__all__ = [
    "FILE",
    "FINDINGS",
    "NOT_RUN",
    "OF_EXCEPTIONS",
    "PROMPT",
    "SEVERITIES",
    "Control",
    "ExceptionRule",
    "NotRun",
    "find",
    "load_controls",
    "read_exceptions",
    "remedy_parts",
]
