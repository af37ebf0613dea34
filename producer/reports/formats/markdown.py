"""``markdown``: the report with a Markdown table, for a README or an issue."""

from poolrace.producer.reports.views.view import view
from poolrace.producer.results.files import Results


def render(results: Results) -> str:
    """Summary, table, validity, findings, and a list of notes and environment."""
    content = view(results)
    return "\n".join(
        (
            content.summary,
            "",
            _line(content.header),
            _line(("---", *("---:" for _ in content.header[1:]))),
            *map(_line, content.cells),
            "",
            content.validity,
            "",
            " ".join(content.findings),
            "",
            *(f"- {line}" for line in (*content.notes, *content.environment)),
            "",
        )
    )


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
