"""Parses a number of slots, hosts or workers that is written in a text."""

MAX_DIGITS = 18
"""Digits of a number, at most; Python refuses to convert a text of several thousand digits."""


def parse_count(text: str) -> int | None:
    """The whole number in the text; ``None`` if the text is anything else."""
    return int(text) if text.isdecimal() and len(text) <= MAX_DIGITS else None
