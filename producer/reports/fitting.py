"""Fits text to a terminal: wraps lines at words, and leaves out columns of tables.

Widths are counted in cells: a Chinese character or an emoji takes two.
"""

from collections.abc import Iterator, Sequence

from rich.cells import cell_len, chop_cells

from poolrace.producer.reports.views.column import Column

GAP = "  "
"""Text between two columns."""

HANGING = "  "
"""Indent of a line's continuation, after the indent of the line itself."""


def wrapped(line: str, width: int | None) -> list[str]:
    """The line, wrapped at words to ``width`` cells; a word that is too long is divided."""
    if width is None or cell_len(line) <= width:
        return [line]
    indent = line[: len(line) - len(line.lstrip())][: max(width // 2, 0)]
    hanging = (indent + HANGING)[: max(width - 2, 0)]  # a wide character needs two cells
    lines, current, is_empty = [], indent, True
    for word in line.split():
        if not is_empty and cell_len(current) + 1 + cell_len(word) <= width:
            current += f" {word}"
            continue
        if not is_empty:
            lines.append(current)
            current = hanging
        first, *more = chop_cells(word, max(width - cell_len(hanging), 2))
        current += first
        for part in more:
            lines.append(current)
            current = hanging + part
        is_empty = False
    return [*lines, current]


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    """The lines of the table, none longer than ``width`` cells; ``None``: any width.

    Columns are left out by priority until the table fits. If not even the first ones fit, each row
    is a list of all its cells.
    """
    if width is None:
        return _aligned([column.name for column in columns], rows)
    levels = sorted({column.priority for column in columns}, reverse=True)
    for level in levels:
        shown = [n for n, column in enumerate(columns) if column.priority <= level]
        names = [
            column.name if level == levels[0] else column.alone or column.name
            for column in (columns[n] for n in shown)
        ]
        lines = _aligned(names, [[row[n] for n in shown] for row in rows])
        if max(map(cell_len, lines)) <= width:
            hidden = [column.name for column in columns if column.priority > level]
            note = f"not shown, add --wide: {', '.join(hidden)}"
            return [*lines, *(wrapped(note, width) if hidden else [])]
    return [line for text in _listed(columns, rows) for line in wrapped(text, width)]


def _aligned(names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The names, a rule and the rows: the first column at the left, all others at the right."""
    widths = [max(map(cell_len, column)) for column in zip(names, *rows, strict=True)]
    rule = GAP.join("-" * width for width in widths)
    first, *others = (_row(row, widths) for row in (names, *rows))
    return [first, rule, *others]


def _row(row: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell + " " * (width - cell_len(cell))
        if number == 0
        else " " * (width - cell_len(cell)) + cell
        for number, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return GAP.join(padded).rstrip()


def _listed(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Each row as lines: the first cell, then the other ones with the names of their columns."""
    for row in rows:
        yield f"{columns[0].name} {row[0]}"
        for column, cell in zip(columns[1:], row[1:], strict=True):
            yield f"{HANGING}{column.alone or column.name}: {cell}"
