"""The registry of report formats: a new format is one file here and one entry below.

A format is a pure function of stored results: it uses neither Celery nor Redis nor an executor,
and returns the same bytes for the same results file. Its module is imported when it first renders
results: with all views and charts that takes a tenth of a second, which a run does not need.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from poolrace.workers.errors import UsageError

if TYPE_CHECKING:
    from poolrace.producer.reports.views.view import Viewed

Render = Callable[["Viewed"], str | bytes]
"""A function that renders results in a format."""


def _imported_later(module: str, function: str = "render") -> Render:
    """A function that imports a module of this package, and calls its function ``function``."""

    def render(results: "Viewed") -> str | bytes:
        imported = import_module(f"{__name__}.{module}")
        rendered: str | bytes = getattr(imported, function)(results)
        return rendered

    return render


FORMATS: dict[str, Render] = {
    "text": _imported_later("text"),
    "markdown": _imported_later("markdown"),
    "csv": _imported_later("csv"),
    "html": _imported_later("html"),
    "svg": _imported_later("image", "svg"),
    "png": _imported_later("image", "png"),
    "trace": _imported_later("trace"),
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
