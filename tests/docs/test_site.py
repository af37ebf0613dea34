"""The documentation site builds without a warning, and loads nothing from elsewhere."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from poolrace.producer.commands import COMMANDS
from poolrace.producer.reports.formats import html
from poolrace.producer.results.files import load
from tests.docs.pages import DOCS, PAGES, ROOT, command_named, name

REPORTS = ("compare", "sweep", "scale", "race", "map", "run", "claims")
"""Samples whose reports are generated as pages of the site."""

ADDRESSES = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src"}
"""Tag -> the attribute with the address that a browser loads for it."""


class Loaded(HTMLParser):
    """Collects the addresses that a browser loads for a page."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if address := dict(attrs).get(ADDRESSES.get(tag, "")):
            self.addresses.append(address)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    mkdocs = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    answer = subprocess.run(
        [*mkdocs, "--site-dir", str(folder)],
        cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    return folder


def loaded_by(site: Path) -> Iterator[tuple[str, str]]:
    """Each page or style with each address that it loads."""
    for page in site.rglob("*.html"):
        parser = Loaded()
        parser.feed(page.read_text())
        yield from ((page.name, address) for address in parser.addresses)
    for style in site.rglob("*.css"):
        for address in re.findall(r"url\((.*?)\)|@import", style.read_text()):
            yield style.name, address.strip("'\"")


def test_no_page_loads_a_script_style_font_or_image_from_another_host(site: Path) -> None:
    addresses = list(loaded_by(site))
    assert len(addresses) > 100
    for page, address in addresses:
        assert not re.match(r"(https?:)?//", address), (page, address)


def test_the_search_index_has_every_page_and_needs_no_server(site: Path) -> None:
    script = (site / "search" / "search_index.js").read_text()
    index = json.loads(script[script.index("{") : script.rindex("}") + 1])
    indexed = {entry["location"].partition("#")[0] for entry in index["docs"]}
    assert indexed >= {page.relative_to(site).as_posix() for page in site.rglob("*.html")} - {
        "404.html",
        *(f"examples/{report}.html" for report in REPORTS),
    }


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_a_page_with_each_of_its_options(site: Path, command: str) -> None:
    page = (site / "reference" / "commands" / f"{command}.html").read_text()
    for parameter in command_named(command).params:
        for option in parameter.opts:
            assert option.startswith("-") is False or option in page, option


def test_the_api_pages_have_the_docstrings(site: Path) -> None:
    page = (site / "reference" / "api.html").read_text()
    for documented_name in ("Workload", "Executor", "Schedule", "Chunk", "UsageError"):
        assert f">{documented_name}</span>" in page, documented_name


def test_the_example_reports_are_part_of_the_site(site: Path) -> None:
    for report in REPORTS:
        results = load(DOCS / "examples" / f"{report}.json")
        assert (site / "examples" / f"{report}.html").read_text() == html.render(results)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_link_between_documents_leads_to_a_file(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)\s]*)?\)", page.read_text()):
        path = (page.parent / target).resolve()
        command = path.parent == DOCS / "reference" / "commands" and path.stem in COMMANDS
        generated = command or (path.parent == DOCS / "examples" and path.stem in REPORTS)
        assert path.exists() or generated, (page.name, target)


FILES = re.compile(r"`((?:benchmarks|deploy|docs|poolrace|producer|tests|workers)/[\w./-]+)`")


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=name)
def test_a_file_that_a_document_names_exists(page: Path) -> None:
    for path in FILES.findall(page.read_text()):
        made_by_hand = "NAME" in path or path.startswith("deploy/certificates/")
        assert made_by_hand or (ROOT / path).exists(), path


def test_a_document_that_the_code_names_exists() -> None:
    for half in ("workers", "producer", "deploy", "benchmarks", "tests"):
        for file in (ROOT / half).rglob("*.py"):
            for path in re.findall(r"\bdocs/[\w/-]+\.md", file.read_text()):
                assert (ROOT / path).exists(), (file.name, path)
