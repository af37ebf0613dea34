"""``text``: for a terminal."""

from poolrace.producer.reports.views.view import view
from poolrace.producer.results.files import Results


def render(results: Results) -> str:
    """The table, how far it can be trusted, the findings, the machine."""
    shown = view(results)
    lines = [shown.header, *shown.cells]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    aligned = [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    rule = "  ".join("-" * width for width in widths)
    return "\n".join(
        (
            shown.summary,
            "",
            aligned[0],
            rule,
            *aligned[1:],
            "",
            shown.proof,
            *shown.notes,
            "",
            *shown.findings,
            "",
            *shown.machine,
            "",
        )
    )
