"""Tables of a page: a region that scrolls, with row headers that stay in view."""

from collections.abc import Iterable, Sequence
from typing import Any

from poolrace.producer.reports.page.element import Markup, element, elements, joined


def table(label: str, header: Iterable[str], rows: Iterable[Sequence[Any]]) -> Markup:
    """A table in a region that keyboards reach and scroll; the first cell names its row."""
    content = element(
        "table",
        element("caption", label),
        element("thead", element("tr", elements("th", header, scope="col"))),
        element("tbody", joined(map(_row, rows))),
    )
    return element("div", content, class_="scroll", role="region", aria_label=label, tabindex="0")


def cell(value: Any) -> str:
    """The text of a value as measured: six significant digits, ``-`` for no value."""
    if value is None or value == "":
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _row(cells: Sequence[Any]) -> Markup:
    first, *rest = map(cell, cells)
    return element("tr", element("th", first, scope="row"), elements("td", rest))
