"""Texts of charts: shortened names of users, and lines that fit a phone."""

import textwrap
from collections import Counter
from collections.abc import Iterable

LINE = 46
"""Number of characters per line of a title: 15 pixels high, it fits a screen of 390 pixels."""

SUBTITLE_LINE = 60
"""Number of characters per line of a subtitle, which is 12 pixels high."""

LABEL = 22
"""Number of characters of a row's label: 130 pixels, a third of a phone's width."""


def shortened(text: str, limit: int) -> str:
    """The text on one line, with an ellipsis in its middle if it has more than ``limit``
    characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if len(line) <= limit:
        return line
    head = (limit - 1) // 2
    return f"{line[:head]}…{line[head + 1 - limit :]}"


def sentences(texts: Iterable[str]) -> list[str]:
    """Lines of a subtitle: each sentence begins a line."""
    return [line for text in texts for line in textwrap.wrap(text, SUBTITLE_LINE)]


def lines(text: str) -> list[str]:
    """The text as lines of up to ``LINE`` characters."""
    return textwrap.wrap(text, LINE)


def labels(names: Iterable[str], limit: int = LABEL) -> list[str]:
    """Labels of rows: the names, shortened, and different from each other."""
    seen: Counter[str] = Counter()
    unique = []
    for name in names:
        label = shortened(name, limit) or "-"
        while label in seen:
            seen[label] += 1
            label = f"{shortened(label, limit - 6)} ({seen[label]})"
        seen[label] += 1
        unique.append(label)
    return unique


def counted(number: int, noun: str) -> str:
    """The number with its noun, which has an ``s`` unless the number is 1."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def seconds(value_s: float) -> str:
    """The time with three digits and its unit."""
    return f"{value_s:,.0f} s" if value_s >= 100 else f"{value_s:#.3g} s"
