"""``csv``: the raw values, one line per run or lap, for spreadsheets."""

import csv
import io
from typing import Any

from poolrace.producer.reports.views.view import Viewed, view

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Characters with which a formula begins in a spreadsheet."""


def render(results: Viewed) -> str:
    """The raw values in the order of measurement, not rounded; incomplete results say so last."""
    content = view(results)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(content.raw_header)
    writer.writerows([_inert(cell) for cell in row] for row in content.raw)
    writer.writerows([line] for line in content.warnings)
    return text.getvalue()


def _inert(cell: Any) -> Any:
    """The cell; a text that a spreadsheet would compute as a formula begins with an apostrophe."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
