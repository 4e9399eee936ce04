"""Tells how many processors and how much memory this process may use: the machine's, or what its control group allows.

Control groups of Linux, version 1 and 2, hold the limits of containers: https://docs.kernel.org/admin-guide/cgroup-v2.html
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from math import ceil
from pathlib import Path

import psutil

OWN_GROUPS = Path("/proc/self/cgroup")
GROUPS = Path("/sys/fs/cgroup")


def processors() -> int:
    """Return how many processors there are for this process, at least 1."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quotas = [ceil(quota) for quota in _quotas() if quota > 0]
    return max(1, min(allowed, *quotas) if quotas else allowed)


def memory() -> int:
    """Return how many bytes of memory there are for this process."""
    return min(_memory_limits())


def _memory_limits() -> Iterator[int]:
    yield int(psutil.virtual_memory().total)
    for folder in _folders("memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            text = _text(folder / name)
            if text.isdigit():
                yield int(text)


def _quotas() -> Iterator[float]:
    """Yield the shares of processors that the groups may use; groups without a limit give none."""
    for folder in _folders("cpu"):
        quota, _, period = _text(folder / "cpu.max").partition(" ")
        if quota.isdigit() and period.isdigit():
            yield int(quota) / int(period)
        quota, period = _text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")
        if quota.isdigit() and period.isdigit():
            yield int(quota) / int(period)


def _folders(controller: str) -> Iterator[Path]:
    """Yield the folders of this process's groups for a controller, each with those above it."""
    for line in _text(OWN_GROUPS).splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers and controller not in controllers.split(","):
            continue
        top = GROUPS / controllers if controllers else GROUPS
        own = top / path.lstrip("/")
        yield from (folder for folder in (own, *own.parents) if folder == top or top in folder.parents)


def _text(path: Path) -> str:
    with suppress(OSError, UnicodeDecodeError):  # not every system has it
        return path.read_text(encoding="ascii").strip()
    return ""
