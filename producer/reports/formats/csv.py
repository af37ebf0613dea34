"""``csv``: the raw values, a line a run or a lap, for a spreadsheet."""

import csv
import io

from poolrace.producer.reports.views.view import view
from poolrace.producer.results.files import Results


def render(results: Results) -> str:
    """Everything in the order in which it was made; nothing is rounded."""
    shown = view(results)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(shown.raw_header)
    writer.writerows(shown.raw)
    return text.getvalue()
