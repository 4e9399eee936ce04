"""Numbers the reasons of answers: a statement in the layer that it counts in, for equal statements stand in many.

The macro ``reason_number`` makes the same numbers for the statements that count, so that an answer names what decided
it and nothing that merely says the same.
"""

#: As the macro ``reason_layers`` has them.
LAYERS = ("identity", "boundary", "scp", "rcp", "resource")
#: Layers that grant: identity policies, and those of resources.
OWN_LAYERS = ("identity", "resource")
#: Numbers of statements, entries and owners have 60 bits; the layer stands below.
_BITS = 3


def reason(layer: str, number: int, owner: int = 0) -> int:
    """Return the number of a reason in a layer: of a statement, in the layer ``resource`` of an entry.

    ``owner`` is the number of the account whose RCP it is, 0 for the principal's own. Both are hashes, so that no two
    pairs of them are to be feared to come to one number.
    """
    return (number ^ owner) << _BITS | LAYERS.index(layer)


def layer_of(number: int) -> str:
    """Return the layer of a reason."""
    return LAYERS[number & (1 << _BITS) - 1]
