"""Controls that did not run, as findings: whoever reads findings in any format sees what nobody looked for."""

from typing import Any

from pipeline.controls.model import FINDINGS, NotRun, digest

NOT_RUN = "control-not-run"
REMEDY = (
    "Mend the control, or the values that it is given, or take its file out of the folder: until then nobody looks for "
    "what it finds."
)


def finding_of(one: NotRun) -> dict[str, Any]:
    """Return the finding; its subject is the control, its source the file."""
    return {
        **dict.fromkeys(FINDINGS.names),
        "finding_id": digest(NOT_RUN, one.control),
        "control_id": NOT_RUN,
        "title": "A control did not run",
        "severity": "high",
        "subject": one.control,
        "subject_kind": "control",
        "source": one.place,
        "message": f"The control {one.control} did not run: {one.problem}.",
        "remedy": REMEDY,
        "status": "open",
    }
