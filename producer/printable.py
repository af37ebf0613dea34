"""Makes text safe to print: names and messages may come from other hosts, or from a file."""

from typing import Any


def printable(text: str) -> str:
    """The text with an escape such as ``\\x1b`` for each character that is not printable.

    These are control characters, which a terminal obeys, line breaks, marks that reverse the
    direction of writing, and lone surrogates, which cannot be encoded.
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1] for character in text
    )


def printable_json(value: Any) -> Any:
    """The value with all keys and texts printable."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {printable(str(key)): printable_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [printable_json(item) for item in value]
    return value
