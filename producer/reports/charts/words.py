"""Texts of charts: shortened names of users, and lines that fit a phone."""

import textwrap

LINE = 46
"""Number of characters per line of a title: 15 pixels high, it fits a screen of 390 pixels."""


def shortened(text: str, limit: int) -> str:
    """The text on one line, with an ellipsis in its middle if it has more than ``limit``
    characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if len(line) <= limit:
        return line
    head = (limit - 1) // 2
    return f"{line[:head]}…{line[head + 1 - limit :]}"


def lines(text: str) -> list[str]:
    """The text as lines of up to ``LINE`` characters."""
    return textwrap.wrap(text, LINE)
