"""``text``: for a terminal."""

from producer.reports.table import fleet, machine, proof, summary
from producer.reports.views import view
from producer.results import Comparison


def render(comparison: Comparison) -> str:
    """The table, the proof of exactness, the findings, the machine."""
    shown = view(comparison)
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
            summary(comparison),
            "",
            aligned[0],
            rule,
            *aligned[1:],
            "",
            proof(comparison),
            *fleet(comparison),
            "",
            *shown.findings,
            "",
            *machine(comparison),
            "",
        )
    )
