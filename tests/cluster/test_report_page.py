"""The HTML page of a report in a browser: charts, keyboard, widths, dark, print, accessibility."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect

from poolrace.producer.analysis.diff import compare_results
from poolrace.producer.reports.charts import palette
from poolrace.producer.reports.formats import html
from poolrace.producer.reports.views.view import Viewed
from poolrace.producer.results.files import load
from poolrace.producer.results.single_run import SingleRun
from tests.cluster.browser import chromium
from tests.cluster.page_measures import (
    BARS,
    bars,
    pixels,
    printed_text,
    smallest_text,
    without_spaces,
)
from tests.unit.made_up_pages import CHUNKS, COLUMNS, EXAMPLES, HOSTILE, page_view, run

SMALLEST_TEXT_PX = 11
MADE_AT = "2026-01-02T03:04:05+00:00"
WIDTHS = (390, 1000, 1600)
PATIENCE_MS = 30_000
KINDS = ("compare", "sweep", "scale", "race", "map", "diff", "run")
A4_LANDSCAPE_PX = 1047
"""Pixels of CSS between the margins of 10 mm of a landscape page: 277 mm."""

FOCUSED = """() => [...document.querySelectorAll("a, button, [tabindex='0']")]
  .indexOf(document.activeElement)"""
"""Script for the number of the element that has the focus; -1 for the body."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A plain page, one with hostile text in each field, and one of each kind of results."""
    folder = tmp_path_factory.mktemp("pages")
    pages = {
        "plain": html.page(page_view(), MADE_AT),
        "hostile": html.page(page_view(HOSTILE), MADE_AT),
        **{kind: html.render(results) for kind, results in every_kind().items()},
    }
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text)
    return {name: folder / f"{name}.html" for name in pages}


def every_kind() -> dict[str, Viewed]:
    """Stored results of every kind."""
    stored: dict[str, Viewed] = {kind: load(EXAMPLES / f"{kind}.json") for kind in KINDS[:-2]}
    scaled = load(EXAMPLES / "scale.json")
    single = SingleRun(MADE_AT, scaled.environment, run())
    return {**stored, "diff": compare_results(scaled, scaled), "run": single}


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a browser; the test fails on a message of the console or a further request."""
    context = browser.new_context(viewport={"width": 1000, "height": 800})
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE_MS)
    problems: list[str] = []

    def keep_message(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            problems.append(message.text)

    def keep_request(request: Request) -> None:
        if not request.is_navigation_request():
            problems.append(request.url)

    opened.on("console", keep_message)
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("request", keep_request)
    yield opened
    context.close()
    assert problems == []


def opened(page: Page, path: Path) -> Page:
    """The page after all of its charts were drawn."""
    page.goto(path.as_uri())
    charts = page.locator("figure.chart").count()
    expect(page.locator("figure.running")).to_have_count(charts, timeout=PATIENCE_MS)
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_a_page_fits_the_window_and_has_no_violation_of_axe(
    browser: Browser,
    page: Page,
    files: dict[str, Path],
    width: int,
    scheme: Literal["light", "dark"],
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    opened(page, files["plain"])
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert len([box for box in bars(page) if box[1] > 1]) == 2 * CHUNKS
    colours = {"light": palette.BLUE, "dark": palette.DARK[palette.BLUE]}
    for name, colour in colours.items():
        blue = pixels(browser, page.locator(".interactive"), colour)
        assert (blue > 500) == (name == scheme), (name, blue)
    assert smallest_text(page) >= SMALLEST_TEXT_PX
    assert Axe().run(page).response["violations"] == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_results_has_a_page_for_phones_and_for_paper(
    page: Page, files: dict[str, Path], kind: str
) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    opened(page, files[kind])
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert smallest_text(page) >= SMALLEST_TEXT_PX
    assert Axe().run(page).response["violations"] == []
    headings = page.locator("thead th").all_inner_texts()
    assert len(headings) > 5
    printed = printed_text(page)
    for heading in headings:
        assert without_spaces(heading) in printed, heading


def test_the_last_column_is_reached_by_keyboard_while_the_first_stays_in_view(
    page: Page, files: dict[str, Path]
) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    opened(page, files["plain"])
    region = page.get_by_role("region", name="Results")
    region.focus()
    last = region.locator("tbody tr").first.locator("td").last
    for _ in range(60):
        page.keyboard.press("ArrowRight")
    expect(last).to_be_in_viewport()
    expect(region.locator("tbody th").first).to_be_in_viewport()


def test_a_table_is_sorted_by_keyboard_in_both_directions_and_back(
    page: Page, files: dict[str, Path]
) -> None:
    opened(page, files["plain"])
    button = page.get_by_role("button", name=COLUMNS[1], exact=True)
    button.focus()
    cells = page.locator("#results td:nth-child(2)")
    before = cells.all_inner_texts()
    numbers = {}
    for direction in ("ascending", "descending"):
        page.keyboard.press("Enter")
        expect(page.locator("th[aria-sort]")).to_have_attribute("aria-sort", direction)
        numbers[direction] = [float(text.removesuffix(" ms")) for text in cells.all_inner_texts()]
    assert numbers["ascending"] == sorted(numbers["ascending"])
    assert numbers["descending"] == numbers["ascending"][::-1]
    page.keyboard.press("Enter")
    expect(page.locator("th[aria-sort]")).to_have_count(0)
    assert cells.all_inner_texts() == before


def test_every_button_link_and_region_is_reached_by_tab(page: Page, files: dict[str, Path]) -> None:
    opened(page, files["plain"])
    reachable = page.locator("a:visible, button:visible, [tabindex='0']:visible")
    reached = set()
    for _ in range(reachable.count() + 5):
        page.keyboard.press("Tab")
        reached.add(page.evaluate(FOCUSED))
    assert len(reached - {-1}) == reachable.count() > 20


def test_hover_shows_the_values_of_a_bar(page: Page, files: dict[str, Path]) -> None:
    opened(page, files["plain"])
    page.locator(f".interactive {BARS}").nth(1).hover()
    tooltip = page.locator("#vg-tooltip-element")
    expect(tooltip).to_be_visible()
    for text in ("range", "[3, 4)", "slot", "host 0", "duration (s)", "0.8", "CPU (s)", "0.5"):
        expect(tooltip).to_contain_text(text)
    page.locator("h1").hover()
    expect(tooltip).to_be_hidden()


def wait_for_width(page: Page, condition: str, before: float) -> None:
    """Wait until the width of the fifth bar in pixels fulfils the condition."""
    width = f"document.querySelectorAll('.interactive {BARS}')[4].getBoundingClientRect().width"
    page.wait_for_function(f"old => {{ const width = {width}; return {condition}; }}", arg=before)


def test_buttons_zoom_and_move_the_chart(page: Page, files: dict[str, Path]) -> None:
    opened(page, files["plain"])
    left, before = bars(page)[4]
    page.get_by_role("button", name="Zoom in").press("Enter")
    wait_for_width(page, "width > 1.5 * old", before)
    zoomed = bars(page)[4]
    page.get_by_role("button", name="Later").press("Enter")
    page.wait_for_function(
        f"old => document.querySelectorAll('.interactive {BARS}')[4]"
        ".getBoundingClientRect().left < old - 5",
        arg=zoomed[0],
    )
    page.get_by_role("button", name="Show all").press("Enter")
    wait_for_width(page, "Math.abs(width - old) < 1", before)
    assert abs(bars(page)[4][0] - left) < 1


def test_the_wheel_scrolls_the_page_and_zooms_with_ctrl(page: Page, files: dict[str, Path]) -> None:
    opened(page, files["plain"])
    before = bars(page)[4][1]
    page.locator(f".interactive {BARS}").first.hover()
    scrolled = page.evaluate("scrollY")
    page.mouse.wheel(0, 50)
    page.wait_for_function("old => scrollY > old", arg=scrolled)
    assert abs(bars(page)[4][1] - before) < 1
    page.locator(f".interactive {BARS}").first.hover()
    scrolled = page.evaluate("scrollY")
    page.keyboard.down("Control")
    page.mouse.wheel(0, -300)
    page.keyboard.up("Control")
    wait_for_width(page, "width > old + 1", before)
    assert page.evaluate("scrollY") == scrolled


def test_the_command_is_copied_by_keyboard(page: Page, files: dict[str, Path]) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened(page, files["plain"])
    page.get_by_role("button", name="Copy the command").press("Enter")
    expect(page.get_by_role("status")).to_have_text("Copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == "producer race --task 'host'"


def test_hostile_text_runs_nothing(page: Page, files: dict[str, Path]) -> None:
    opened(page, files["hostile"])
    assert page.evaluate("window.hacked") is None
    page.locator(f".interactive {BARS}").first.hover()
    expect(page.locator("#vg-tooltip-element")).to_contain_text("</script>")
    assert page.locator("img").count() == 0
    assert page.evaluate("window.hacked") is None


def test_on_paper_no_column_is_cut_and_the_chart_is_an_image(
    page: Page, files: dict[str, Path]
) -> None:
    opened(page, files["plain"])
    page.set_viewport_size({"width": A4_LANDSCAPE_PX, "height": 800})
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= A4_LANDSCAPE_PX
    for table in page.locator("table").all():
        box = table.bounding_box()
        assert box
        assert box["x"] + box["width"] <= A4_LANDSCAPE_PX
    expect(page.locator(".static svg")).to_be_visible()
    expect(page.locator(".interactive")).to_be_hidden()
    printed = printed_text(page)
    for column in (*COLUMNS[1:], "finding host", "11.5 ms", "producer race"):
        assert without_spaces(column) in printed


def test_without_scripts_charts_and_tables_are_there(
    browser: Browser, files: dict[str, Path]
) -> None:
    context = browser.new_context(java_script_enabled=False)
    still = context.new_page()
    still.set_viewport_size({"width": 390, "height": 800})
    still.goto(files["plain"].as_uri())
    expect(still.locator(".static svg")).to_be_visible()
    assert smallest_text(still) >= SMALLEST_TEXT_PX
    expect(still.locator("table").first).to_be_visible()
    expect(still.locator("button:visible")).to_have_count(0)
    context.close()
