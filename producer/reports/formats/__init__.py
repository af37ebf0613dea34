"""The registry of report formats: a new one is one file here and one entry below.

A report is a pure function of stored results: it sees neither Celery nor Redis nor an
executor, and gives the same bytes for the same file.
"""

from collections.abc import Callable
from pathlib import Path

from poolrace.producer.reports.formats import csv, html, image, markdown, text
from poolrace.producer.results.files import Results

FORMATS: dict[str, Callable[[Results], str | bytes]] = {
    "text": text.render,
    "markdown": markdown.render,
    "csv": csv.render,
    "html": html.render,
    "svg": image.svg,
    "png": image.png,
}

SUFFIXES = {
    ".txt": "text", ".md": "markdown", ".csv": "csv", ".html": "html", ".svg": "svg", ".png": "png",
}  # fmt: skip


def format_for(path: Path) -> str:
    """The format that the file's name asks for; a page if it asks for none."""
    return SUFFIXES.get(path.suffix.lower(), "html")
