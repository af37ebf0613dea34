"""``csv``: the raw values, one line per run or lap, for spreadsheets."""

import csv
import io

from poolrace.producer.reports.views.view import Viewed, view


def render(results: Viewed) -> str:
    """The raw values in the order of measurement, not rounded; incomplete results say so last."""
    content = view(results)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(content.raw_header)
    writer.writerows(content.raw)
    writer.writerows([line] for line in content.warnings)
    return text.getvalue()
