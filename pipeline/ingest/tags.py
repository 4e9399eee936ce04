"""Reads lists of tags. A key that stands twice is told: AWS keeps no two tags of one key."""

from collections.abc import Callable, Generator, Sequence

import msgspec

from pipeline.errors import Reject
from pipeline.flatten.records import Tags
from pipeline.ingest.decode import Page


class Tag(msgspec.Struct, rename="pascal", gc=False):
    """One tag."""

    key: str
    value: str


def distinct(
    page: Page, pointer: str, tags: Sequence[Tag] | None, fold: Callable[[str], str], owner: str, consequence: str
) -> Generator[Reject, None, tuple[Tags, tuple[str, ...]]]:
    """Yield a reject for each key that stands twice; return the tags, and the keys whose value is doubtful.

    The last tag of a key counts. ``fold`` gives keys that are the same to AWS one text: keys of users and roles differ
    by more than case, keys of resources do not have to.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
    """
    listed = tags or ()
    if len({fold(tag.key) for tag in listed}) == len(listed):
        return tuple(sorted([(tag.key, tag.value) for tag in listed])), ()
    held: dict[str, tuple[int, Tag]] = {}
    doubtful = []
    for index, tag in enumerate(listed):
        same = fold(tag.key)
        if same in held:
            earlier, other = held[same]
            message = f"{owner}: the tag key {other.key!r} stands twice; the tag at the end of the list counts"
            place = f"{pointer}/Tags/{earlier}"
            yield page.reject(place, "error", "duplicate-tag", message, f"export it again; {consequence}")
            if other.value != tag.value:
                doubtful.append(tag.key)
        held[same] = (index, tag)
    return tuple(sorted((tag.key, tag.value) for _, tag in held.values())), tuple(dict.fromkeys(doubtful))
