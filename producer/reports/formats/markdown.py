"""``markdown``: for a README or an issue."""

from poolrace.producer.reports.views.view import view
from poolrace.producer.results.files import Results


def render(results: Results) -> str:
    """As ``text``, with a Markdown table."""
    shown = view(results)
    return "\n".join(
        (
            shown.summary,
            "",
            _line(shown.header),
            _line(("---", *("---:" for _ in shown.header[1:]))),
            *map(_line, shown.cells),
            "",
            shown.proof,
            "",
            " ".join(shown.findings),
            "",
            *(f"- {line}" for line in (*shown.notes, *shown.machine)),
            "",
        )
    )


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
