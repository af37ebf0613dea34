"""``text``: the report with an aligned table, for a terminal."""

from poolrace.producer.printable import printable
from poolrace.producer.reports.fitting import table, wrapped
from poolrace.producer.reports.views.view import Viewed, view


def render(results: Viewed, width: int | None = None, *, wide: bool = False) -> str:
    """Summary, table, validity, notes, findings, environment, and the command that repeats it.

    No line but the command is longer than ``width`` cells; ``None``: lines have any length.
    ``wide`` shows all columns nevertheless.
    """
    content = view(results)
    cells = [tuple(map(printable, row)) for row in content.cells]
    above = (content.summary, *content.warnings, "")
    below = (
        "",
        content.validity,
        *content.notes,
        "",
        *content.findings,
        "",
        *content.environment,
        "",
    )
    return "\n".join(
        (
            *_sentences(above, width),
            *table(content.columns, cells, None if wide else width),
            *_sentences(below, width),
            # Not wrapped: within the copy of it, a line break would end the command.
            *([f"repeat it: {printable(content.invocation)}", ""] if content.invocation else ()),
        )
    )


def _sentences(lines: tuple[str, ...], width: int | None) -> list[str]:
    return [part for line in lines for part in wrapped(printable(line), width)]
