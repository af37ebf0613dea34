"""Tables and lists of sentences of a page, each limited to a number of bytes."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from poolrace.producer.reports.page.element import Markup, element, escaped, fitting, joined

MAX_TABLE_BYTES = 90_000
"""Bytes of the rows of a table; 300 laps of a race, for example."""

MAX_TEXT_BYTES = 15_000
"""Bytes of a list of sentences."""

WIDE = 14
"""Number of columns from which a table has smaller text on paper."""

_NUMBER = re.compile(r"[-+±]?[\d,.]+(e[-+]?\d+)?( ?(%|x|[a-zµ]{1,3}|[kMG]i?B))?|-|", re.IGNORECASE)


def table(label: str, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> Markup:
    """A table in a region that keyboards reach and scroll; the first cell names its row.

    Rows after ``MAX_TABLE_BYTES`` are left out; a sentence counts them.
    """
    texts = [[cell(value) for value in row] for row in rows]
    classes = [_alignment(column) for column in zip(*texts, strict=True)] or [""] * len(header)
    head = joined(
        _cell("th", name, class_, "col") for name, class_ in zip(header, classes, strict=True)
    )
    shown = fitting((_row(row, classes) for row in texts), MAX_TABLE_BYTES)
    content = element(
        "table",
        element("caption", label),
        element("thead", element("tr", head)),
        element("tbody", joined(shown)),
        class_="wide" if len(header) > WIDE else "narrow",
    )
    region = element("div", content, class_="scroll", role="region", aria_label=label, tabindex="0")
    if len(shown) == len(rows):
        return region
    text = f"These are the first {len(shown):,} of {len(rows):,} rows. All rows:"
    return joined((region, element("p", text, " ", _command("csv"))))


def measurements(label: str, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> Markup:
    """A table as measured; columns with one value in all rows are a sentence above it."""
    columns = list(zip(*rows, strict=True))
    constant = {
        number
        for number, column in enumerate(columns)
        if len(rows) > 1 and all(cell(value) == cell(column[0]) for value in column)
    }
    # A table without columns would be no table.
    constant -= {min(constant)} if len(constant) == len(header) else set()
    varying = [number for number in range(len(header)) if number not in constant]
    same = ", ".join(f"{header[number]} {cell(columns[number][0])}" for number in sorted(constant))
    return joined(
        (
            element("p", f"The same in all {len(rows):,} rows: {same}.") if same else Markup(),
            table(
                label,
                [header[number] for number in varying],
                [[row[number] for number in varying] for row in rows],
            ),
        )
    )


def sentences(texts: Sequence[str], **attributes: str) -> Markup:
    """A paragraph per text; texts after ``MAX_TEXT_BYTES`` are left out, and are counted."""
    shown = fitting((element("p", text, **attributes) for text in texts), MAX_TEXT_BYTES)
    left_out = len(texts) - len(shown)
    if not left_out:
        return joined(shown)
    text = f"{left_out:,} more sentence(s) are in the text report:"
    return joined((*shown, element("p", text, " ", _command("text"), **attributes)))


def cell(value: Any) -> str:
    """The text of a value: six significant digits, groups of thousands, ``-`` for no value."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _row(texts: Sequence[str], classes: Sequence[str]) -> Markup:
    heading = _cell("th", texts[0], classes[0], "row")
    rest = (_cell("td", *cells) for cells in zip(texts[1:], classes[1:], strict=True))
    return element("tr", heading, *rest)


def _cell(tag: str, text: str, class_: str, scope: str = "") -> Markup:
    attributes = {"class_": class_, "scope": scope}
    # Long names of columns may be broken after an underscore.
    content = Markup(escaped(text).replace("_", "_<wbr>")) if scope == "col" else text
    return element(tag, content, **{name: value for name, value in attributes.items() if value})


def _alignment(texts: Iterable[str]) -> str:
    """The class of a column: ``text`` unless all its cells are numbers."""
    return "" if all(_NUMBER.fullmatch(text) for text in texts) else "text"


def _command(format_: str) -> Markup:
    return element("code", f"producer report RESULTS.json --format {format_}")
