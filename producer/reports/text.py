"""``text``: for a terminal."""

from producer.reports.findings import findings
from producer.reports.table import HEADER, fleet, machine, proof, rows, summary
from producer.results import Comparison


def render(comparison: Comparison) -> str:
    """The table, the proof of exactness, the findings, the machine."""
    table = rows(comparison)
    lines = [HEADER, *(row.cells() for row in table)]
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
            *findings(table),
            "",
            *machine(comparison),
            "",
        )
    )
