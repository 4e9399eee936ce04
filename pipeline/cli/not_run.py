"""What commands say of controls that did not run."""

from collections.abc import Callable

import pyarrow as pa

from pipeline.errors import UNREADABLE
from pipeline.wording import one_line


def tell_not_run(found: pa.Table, tell: Callable[[str], object]) -> int:
    """Tell each control of the findings that did not run, with its file, and return the exit code; 0 where all ran.

    What one that did not run would have found, nobody knows.
    """
    from pipeline.controls import NOT_RUN

    missing = [row for row in found.to_pylist() if row["control_id"] == NOT_RUN]
    for row in missing:
        tell(f"{row['source']}: {one_line(row['message'])} {row['remedy']}")
    return UNREADABLE if missing else 0
