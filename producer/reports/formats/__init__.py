"""The registry of report formats: a new format is one file here and one entry below.

A format is a pure function of stored results: it uses neither Celery nor Redis nor an executor,
and returns the same bytes for the same results file.
"""

from collections.abc import Callable
from pathlib import Path

from poolrace.producer.reports.formats import csv, html, image, markdown, text, trace
from poolrace.producer.reports.views.view import Viewed
from poolrace.workers.errors import UsageError

FORMATS: dict[str, Callable[[Viewed], str | bytes]] = {
    "text": text.render,
    "markdown": markdown.render,
    "csv": csv.render,
    "html": html.render,
    "svg": image.svg,
    "png": image.png,
    "trace": trace.render,
}
"""Name of a format -> the function that renders results in it."""

SUFFIXES = {
    ".txt": "text", ".md": "markdown", ".csv": "csv", ".html": "html", ".svg": "svg", ".png": "png",
    ".trace.json": "trace",
}  # fmt: skip
"""Ending of a file name -> name of a format."""


def format_for(path: Path) -> str:
    """The format that fits the ending of the file name; raises ``UsageError`` if there is none."""
    name = named_format(path)
    if name is None:
        raise UsageError(
            f"{path} does not name a format of reports; give a file that ends in"
            f" {', '.join(SUFFIXES)}"
        )
    return name


def named_format(path: Path) -> str | None:
    """The format that fits the ending of the file name; ``None`` if there is none."""
    two_suffixes = "".join(path.suffixes[-2:]).lower()
    return SUFFIXES.get(two_suffixes) or SUFFIXES.get(path.suffix.lower())
