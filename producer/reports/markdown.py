"""``markdown``: for a README or an issue."""

from producer.reports.table import fleet, machine, proof, summary
from producer.reports.views import view
from producer.results import Comparison


def render(comparison: Comparison) -> str:
    """As ``text``, with a Markdown table."""
    shown = view(comparison)
    return "\n".join(
        (
            summary(comparison),
            "",
            _line(shown.header),
            _line(("---", *("---:" for _ in shown.header[1:]))),
            *map(_line, shown.cells),
            "",
            proof(comparison),
            "",
            " ".join(shown.findings),
            "",
            *(f"- {line}" for line in (*fleet(comparison), *machine(comparison))),
            "",
        )
    )


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
