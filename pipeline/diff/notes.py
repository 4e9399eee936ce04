"""Says what makes two snapshots less comparable than they look."""

from collections.abc import Callable, Iterator

from pipeline.lake import Lake
from pipeline.wording import some

MADE_WITH = {"policylake_version": "versions of policylake", "reference": "service references"}
SHOWN = 3


def notes(old: Lake, new: Lake, is_told: Callable[[str], bool] = bool) -> list[str]:
    """Return remarks on a comparison: services and references that differ, principals of which something is missing,
    those of them ``is_told`` takes by ARN."""
    return [*_of_versions(old, new), *_of_services(old, new), *_of_gaps(old, new, is_told)]


def _of_versions(old: Lake, new: Lake) -> Iterator[str]:
    for member, what in MADE_WITH.items():
        before, after = old.manifest.get(member), new.manifest.get(member)
        if before != after:
            told = [value.get("version") if isinstance(value, dict) else value for value in (before, after)]
            yield (
                f"the two sides were made with different {what} ({told[0]}, then {told[1]}): "
                "some differences may come from that; build the old side again"
            )


def _of_services(old: Lake, new: Lake) -> Iterator[str]:
    before, after = (set(lake.manifest.get("services", [])) for lake in (old, new))
    for services, side in ((before - after, "old"), (after - before, "new")):
        if services:
            yield f"only the {side} side answers for {', '.join(sorted(services))}: these actions are left out"


def _of_gaps(old: Lake, new: Lake, is_told: Callable[[str], bool]) -> Iterator[str]:
    for lake, side in ((old, "old"), (new, "new")):
        sql = "select principal_arn from principals where is_incomplete order by principal_arn"
        names = [name for name in lake.query(sql)["principal_arn"].to_pylist() if is_told(name)]
        if names:
            yield (
                f"{side} side: something is missing of {some(names, SHOWN)}: "
                "what is said of them may be wrong (column is_incomplete)"
            )
