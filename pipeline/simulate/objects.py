"""Reads JSON in which no object may hold a name twice."""

from pipeline.errors import PolicylakeError
from pipeline.iam import written


def loads(text: str) -> object:
    """Return the value of a JSON text, whose numbers keep how they are written.

    Raises ValueError for no JSON, RecursionError for one nested too deeply, and PolicylakeError for an object with a
    name that stands twice, which AWS refuses in a policy: its message begins with the path of the name.
    """
    value: object
    value, doubled = written.read(text)
    if doubled:
        path = "".join(f"{step}/" for step in doubled.path or ())
        raise PolicylakeError(f"{path}{doubled.name} stands twice in one object; keep one of them")
    return value
