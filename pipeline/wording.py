"""Small words that messages and exports share."""


def counted(number: int, thing: str, things: str | None = None) -> str:
    """Return a number with its thing: "1 finding", "2,000 findings"; ``things`` where an s does not make them many."""
    return f"1 {thing}" if number == 1 else f"{number:,} {things or f'{thing}s'}"
