"""MkDocs hook: renders the example reports for the site.

The repository has only their results: each page contains 0.9 MB of Vega's scripts.
"""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from poolrace.producer.reports.formats import html
from poolrace.producer.results.files import load

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"

REPORTED = ("compare", "sweep", "scale", "race", "map", "run", "claims")
"""The samples whose HTML report is part of the site: one of every kind."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each of the samples to the files of the site."""
    for name in REPORTED:
        page = html.render(load(EXAMPLES / f"{name}.json"))
        files.append(File.generated(config, f"examples/{name}.html", content=page))
    return files
