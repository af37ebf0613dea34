"""The HTML page of a report in a browser: charts, keyboard, widths, dark, print, accessibility."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect

from poolrace.producer.reports.formats import html
from tests.cluster.browser import chromium
from tests.unit.made_up_pages import COLUMNS, HOSTILE, page_view

MADE_AT = "2026-01-02T03:04:05+00:00"
WIDTHS = (390, 1000, 1600)
PATIENCE_MS = 30_000
A4_LANDSCAPE_PX = 1047
"""Pixels of CSS between the margins of 10 mm of a landscape page: 277 mm."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pages of a plain view, and of one with hostile text in each field."""
    folder = tmp_path_factory.mktemp("pages")
    paths = {name: folder / f"{name}.html" for name in ("plain", "hostile")}
    paths["plain"].write_text(html.page(page_view(), MADE_AT))
    paths["hostile"].write_text(html.page(page_view(HOSTILE), MADE_AT))
    return paths


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
    """The page after its charts were drawn."""
    page.goto(path.as_uri())
    expect(page.locator("figure.running")).to_have_count(1, timeout=PATIENCE_MS)
    return page


def bars(page: Page) -> list[tuple[float, float]]:
    """Left edge and width in pixels of all bars."""
    return [
        (box["x"], box["width"])
        for bar in page.locator(".interactive .mark-rect path").all()
        if (box := bar.bounding_box())
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_a_page_fits_the_window_and_has_no_violation_of_axe(
    page: Page, files: dict[str, Path], width: int, scheme: str
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    opened(page, files["plain"])
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert len([box for box in bars(page) if box[1] > 1]) == 9
    assert Axe().run(page).response["violations"] == []


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


def test_a_table_is_sorted_by_keyboard_in_both_directions(
    page: Page, files: dict[str, Path]
) -> None:
    opened(page, files["plain"])
    button = page.get_by_role("button", name=COLUMNS[1], exact=True)
    button.focus()
    numbers = {}
    for direction in ("ascending", "descending"):
        page.keyboard.press("Enter")
        expect(page.locator("th[aria-sort]")).to_have_attribute("aria-sort", direction)
        texts = page.locator(".scroll").first.locator("td:nth-child(2)").all_inner_texts()
        numbers[direction] = [float(text.removesuffix(" ms")) for text in texts]
    assert numbers["ascending"] == sorted(numbers["ascending"])
    assert numbers["descending"] == numbers["ascending"][::-1]


def test_every_button_is_reached_by_tab(page: Page, files: dict[str, Path]) -> None:
    opened(page, files["plain"])
    visible = page.locator("button:visible").count()
    reached = set()
    for _ in range(visible + 10):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "[...document.querySelectorAll('button')].indexOf(document.activeElement)"
        )
        reached.add(focused)
    assert len(reached - {-1}) == visible


def test_hover_shows_the_values_of_a_bar(page: Page, files: dict[str, Path]) -> None:
    opened(page, files["plain"])
    page.locator(".interactive .mark-rect path").first.hover()
    expect(page.locator("#vg-tooltip-element")).to_contain_text("host")


def test_buttons_and_the_wheel_zoom_the_chart(page: Page, files: dict[str, Path]) -> None:
    opened(page, files["plain"])
    before = bars(page)[4][1]
    button = page.get_by_role("button", name="Zoom in")
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_function(
        "old => document.querySelectorAll('.interactive .mark-rect path')[4]"
        ".getBoundingClientRect().width > 1.5 * old",
        arg=before,
    )
    page.get_by_role("button", name="Show all").click()
    page.wait_for_function(
        "old => Math.abs(document.querySelectorAll('.interactive .mark-rect path')[4]"
        ".getBoundingClientRect().width - old) < 1",
        arg=before,
    )
    page.locator(".interactive svg").hover()
    page.mouse.wheel(0, -300)
    page.wait_for_function(
        "old => document.querySelectorAll('.interactive .mark-rect path')[4]"
        ".getBoundingClientRect().width > old + 1",
        arg=before,
    )


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
    page.locator(".interactive .mark-rect path").first.hover()
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
    document = page.pdf(prefer_css_page_size=True)
    assert re.search(rb"/MediaBox \[0 0 84\d[.\d]* 59\d", document)


def test_without_scripts_charts_and_tables_are_there(
    browser: Browser, files: dict[str, Path]
) -> None:
    context = browser.new_context(java_script_enabled=False)
    still = context.new_page()
    still.goto(files["plain"].as_uri())
    expect(still.locator(".static svg")).to_be_visible()
    expect(still.locator("table").first).to_be_visible()
    expect(still.locator("button:visible")).to_have_count(0)
    context.close()
