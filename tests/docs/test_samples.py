"""The sample outputs in the documents are what poolrace prints now."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from poolrace.producer.reports.views.view import view
from poolrace.producer.results.files import load
from tests.docs.pages import DOCS, PAGES, ROOT, name

SAMPLES = ("compare", "sweep", "scale", "race", "map", "claims")
"""Names of the result files whose tables the documents show: one of every kind."""


def table_headers(text: str) -> list[tuple[str, ...]]:
    """The headers of the text tables: the line above a line of dashes."""
    headers = re.findall(r"^(\S.*)\n-{3,}(?:  -+)+$", text, re.MULTILINE)
    return [tuple(re.split(r" {2,}", header.strip())) for header in headers]


def test_every_sample_block_and_example_report_is_up_to_date() -> None:
    check = [sys.executable, "docs/tools/samples.py", "check"]
    answer = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize(
    "page", [page for page in PAGES if table_headers(page.read_text())], ids=name
)
def test_every_table_header_is_one_that_the_program_prints(page: Path) -> None:
    printed_headers = {
        view(load(DOCS / "examples" / f"{sample}.json")).header for sample in SAMPLES
    }
    for header in table_headers(page.read_text()):
        assert header in printed_headers, header


def test_the_documents_have_tables_of_comparisons_sweeps_scalings_and_races() -> None:
    shown = {header[0] for page in PAGES for header in table_headers(page.read_text())}
    assert shown >= {"model", "chunks", "hosts", "candidate"}


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_documents_link_an_example_report_of_every_kind(sample: str) -> None:
    assert f"](examples/{sample}.html)" in (DOCS / "example-reports.md").read_text()


@pytest.mark.parametrize("sample", ["compare", "sweep", "scale"])
def test_every_column_of_a_comparison_is_defined(sample: str) -> None:
    page = (DOCS / "explanation" / "measuring.md").read_text()
    for column in view(load(DOCS / "examples" / f"{sample}.json")).header:
        assert f"\n| {column} |" in page, column
