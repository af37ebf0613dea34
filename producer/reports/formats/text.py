"""``text``: the report with an aligned table, for a terminal."""

from poolrace.producer.printable import printable
from poolrace.producer.reports.views.view import Viewed, view


def render(results: Viewed) -> str:
    """Summary, table, validity, notes, findings and environment."""
    content = view(results)
    rows = [content.header, *content.cells]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    aligned = [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    rule = "  ".join("-" * width for width in widths)
    lines = (
        content.summary,
        *content.warnings,
        "",
        aligned[0],
        rule,
        *aligned[1:],
        "",
        content.validity,
        *content.notes,
        "",
        *content.findings,
        "",
        *content.environment,
        "",
    )
    return "\n".join(map(printable, lines))
