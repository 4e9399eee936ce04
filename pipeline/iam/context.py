"""The context of one request: values of condition keys, and what policy variables stand for. Decides nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

#: Tells a key's data type (String, ARN, Bool, ..., or ArrayOf one) by its name; None if it is not known.
KeyTypes = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Context:
    """What a request carries. ``by_key`` maps condition keys in lower case to their values; no values are absence."""

    by_key: Mapping[str, tuple[str, ...]]
    key_types: KeyTypes = field(default=lambda key: None)

    def values(self, key: str) -> tuple[str, ...]:
        """Return the values of a key, whatever its case; () if it is absent."""
        return self.by_key.get(key.lower(), ())

    def variable(self, key: str) -> str | None:
        """Return what a policy variable stands for: the value of a single-valued key whose name has no space (VARS).

        An empty text is no value.
        """
        values = self.values(key)
        is_multivalued = len(values) != 1 or (self.key_types(key) or "").startswith("ArrayOf")
        return None if is_multivalued or " " in key else values[0] or None
