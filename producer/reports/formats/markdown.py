"""``markdown``: the report with a Markdown table, for a README or an issue."""

import re
from collections.abc import Iterator

from poolrace.producer.printable import printable
from poolrace.producer.reports.views.race_sentences import RUN
from poolrace.producer.reports.views.view import Viewed, view

_SYNTAX = re.compile(r"[\\|]|\](?=[(:\[])")
"""Characters to escape: those that end a table cell or the text of a link, and the escape."""


def render(results: Viewed) -> str:
    """Summary, table, validity, findings, notes, environment, and the command that repeats it."""
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
            *_paragraphs(content.findings),
            "",
            *(f"- {_escaped(line)}" for line in (*content.notes, *content.environment)),
            *(_code(content.invocation) if content.invocation else ()),
            "",
        )
    )


def _paragraphs(findings: list[str]) -> Iterator[str]:
    """The sentences as one paragraph, in which a command to run is a block of code."""
    sentences: list[str] = []
    for finding in findings:
        if finding.startswith(RUN):
            yield _escaped(" ".join([*sentences, RUN.strip()]))
            yield from (*_code(finding.removeprefix(RUN)), "")
            sentences = []
        else:
            sentences.append(finding)
    yield _escaped(" ".join(sentences))


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(map(_escaped, cells))} |"


def _code(command: str) -> tuple[str, ...]:
    """The command as a block of code, whose fence is longer than any row of backticks in it."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", command)), default=0))
    return "", f"{fence}sh", printable(command), fence


def _escaped(text: str) -> str:
    """The text without Markdown links and HTML elements: a name in it may hold any character."""
    return _SYNTAX.sub(r"\\\g<0>", printable(text)).replace("<", "&lt;")
