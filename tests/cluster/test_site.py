"""The documentation site as a person uses it: in a browser, from disk and from a server."""

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.cluster.browser import chromium

ROOT = Path(__file__).parent.parent.parent
PATIENCE_MS = 30_000


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files without a line per request."""

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        check=True,
    )
    return folder


@pytest.fixture(params=["disk", "server"])
def address(request: pytest.FixtureRequest, site: Path) -> Iterator[str]:
    """The address of the site, which is opened from disk and from a server on loopback."""
    if request.param == "disk":
        yield site.as_uri()
        return
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(site)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page of a browser; the test fails if it requests anything from elsewhere."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    opened = context.new_page()
    requests: list[str] = []
    errors: list[str] = []
    opened.on("request", lambda request: requests.append(request.url))
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert requests
    own = (address, "data:", "blob:", "about:")
    assert [url for url in requests if not url.startswith(own)] == []
    assert errors == []


def test_the_search_finds_a_page_and_leads_to_it(page: Page, address: str) -> None:
    page.goto(f"{address}/index.html")
    page.get_by_role("textbox", name="Search").click()
    page.keyboard.type("prefetch multiplier", delay=20)
    hit = page.locator(".md-search-result__link").first
    expect(hit).to_be_visible(timeout=PATIENCE_MS)
    hit.click()
    expect(page.locator("article")).to_contain_text("prefetch", timeout=PATIENCE_MS)


@pytest.mark.parametrize(
    ("path", "heading"),
    [
        ("lesson.html", "Lesson"),
        ("reference/commands/race.html", "producer race"),
        ("reference/api.html", "API"),
        ("explanation/benchmarks.html", "Benchmarks"),
    ],
)
def test_a_page_loads_its_own_files_only(page: Page, address: str, path: str, heading: str) -> None:
    page.goto(f"{address}/{path}")
    expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
    for image in page.locator("article img").all():
        assert image.evaluate("element => element.naturalWidth") > 0


@pytest.mark.parametrize("report", ["compare", "sweep", "scale", "race", "map"])
def test_an_example_report_opens_with_its_chart(page: Page, address: str, report: str) -> None:
    page.goto(f"{address}/examples/{report}.html")
    expect(page.locator("figure.running svg:visible").first).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("table").first).to_be_visible()
