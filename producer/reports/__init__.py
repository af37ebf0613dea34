"""The registry of report formats: a new one is one file here and one entry below.

A report is a pure function of stored results: it sees neither Celery nor Redis nor an
executor, and gives the same bytes for the same file.
"""

from collections.abc import Callable

from producer.reports import csv, html, markdown, text
from producer.results import Results

FORMATS: dict[str, Callable[[Results], str]] = {
    "text": text.render,
    "markdown": markdown.render,
    "csv": csv.render,
    "html": html.render,
}
