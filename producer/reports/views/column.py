"""The columns of a report's table, and the text of cells that several tables share."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column of a table: its name and its priority."""

    name: str
    priority: int = 0
    """0: shown on every terminal. On a narrow one, columns with the largest number are left out
    first; columns with the same number are left out together."""
    alone: str = ""
    """Name with its unit, where the neighbour that says the unit is not shown."""


def columns(*names: str, priorities: tuple[int, ...]) -> tuple[Column, ...]:
    """Columns with these names and priorities."""
    return tuple(map(Column, names, priorities))


def spread_text(spread_s: float) -> str:
    """The spread in seconds; ``-`` for a single run, which has none."""
    return f"{spread_s:.3f}" if spread_s else "-"
