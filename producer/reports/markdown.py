"""``markdown``: for a README or an issue."""

from producer.reports.findings import findings
from producer.reports.table import HEADER, fleet, machine, proof, rows, summary
from producer.results import Comparison


def render(comparison: Comparison) -> str:
    """As ``text``, with a Markdown table."""
    table = rows(comparison)
    return "\n".join(
        (
            summary(comparison),
            "",
            _line(HEADER),
            _line(("---", *("---:" for _ in HEADER[1:]))),
            *(_line(row.cells()) for row in table),
            "",
            proof(comparison),
            "",
            " ".join(findings(table)),
            "",
            *(f"- {line}" for line in (*fleet(comparison), *machine(comparison))),
            "",
        )
    )


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
