"""Reads JSON in which no object may hold a name twice: JSON would keep the last one and lose the other in silence."""

from pipeline.errors import PolicylakeError
from pipeline.iam import written


def loads(text: str) -> object:
    """Return the value of a JSON text, whose numbers keep how they are written.

    Raises ValueError for no JSON, RecursionError for one nested too deeply, and PolicylakeError for an object with a
    name that stands twice, which AWS refuses in a policy: its message begins with the path of the name.
    """
    doubled: list[tuple[dict[str, object], str]] = []

    def members(pairs: list[tuple[str, object]]) -> dict[str, object]:
        merged = dict(pairs)
        if len(merged) < len(pairs):
            names = [name for name, _ in pairs]
            doubled.append((merged, next(name for name in names if names.count(name) > 1)))
        return merged

    value: object = written.loads(text, members)
    if doubled:
        place, name = doubled[0]
        raise PolicylakeError(f"{_path_of(place, value)}{name} stands twice in one object; keep one of them")
    return value


def _path_of(place: object, value: object) -> str:
    """Return the path of an object within a value, with a slash at the end; an empty text where it was lost itself."""
    unvisited = [("", value)]
    while unvisited:
        path, found = unvisited.pop()
        if found is place:
            return path
        if isinstance(found, dict):
            unvisited += [(f"{path}{name}/", below) for name, below in found.items()]
        elif isinstance(found, list):
            unvisited += [(f"{path}{index}/", below) for index, below in enumerate(found)]
    return ""
