"""``markdown``: the report with a Markdown table, for a README or an issue."""

import re

from poolrace.producer.printable import printable
from poolrace.producer.reports.views.view import Viewed, view

_SYNTAX = re.compile(r"[\\|]|\](?=[(:\[])")
"""Characters to escape: those that end a table cell or the text of a link, and the escape."""


def render(results: Viewed) -> str:
    """Summary, table, validity, findings, and a list of notes and environment."""
    content = view(results)
    return "\n".join(
        (
            _escaped(content.summary),
            "",
            *(f"**{line}**\n" for line in content.warnings),
            _row(content.header),
            _row(("---", *("---:" for _ in content.header[1:]))),
            *map(_row, content.cells),
            "",
            _escaped(content.validity),
            "",
            _escaped(" ".join(content.findings)),
            "",
            *(f"- {_escaped(line)}" for line in (*content.notes, *content.environment)),
            "",
        )
    )


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(map(_escaped, cells))} |"


def _escaped(text: str) -> str:
    """The text without Markdown links and HTML elements: a name in it may hold any character."""
    return _SYNTAX.sub(r"\\\g<0>", printable(text)).replace("<", "&lt;")
