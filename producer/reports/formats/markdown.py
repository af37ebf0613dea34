"""``markdown``: the report with a Markdown table, for a README or an issue."""

import re

from poolrace.producer.printable import printable
from poolrace.producer.reports.views.view import view
from poolrace.producer.results.files import Results

_LINK_BRACKET = re.compile(r"\](?=[(:\[])")
"""A bracket that would end the text of a link."""


def render(results: Results) -> str:
    """Summary, table, validity, findings, and a list of notes and environment."""
    content = view(results)
    lines = (
        content.summary,
        "",
        _row(content.header),
        _row(("---", *("---:" for _ in content.header[1:]))),
        *map(_row, content.cells),
        "",
        content.validity,
        "",
        " ".join(content.findings),
        "",
        *(f"- {line}" for line in (*content.notes, *content.environment)),
        "",
    )
    return "\n".join(map(_escaped, lines))


def _row(cells: tuple[str, ...]) -> str:
    escaped = (cell.replace("|", r"\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"


def _escaped(line: str) -> str:
    """The line without HTML elements and links: names in it may be of any characters."""
    return _LINK_BRACKET.sub(r"\\]", printable(line).replace("<", "&lt;"))
