"""The HTML page of a report: order, escaping, policy, tables, and a page without charts."""

import json
import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from poolrace.producer.reports.charts.palette import BLUE, DARK, VARIABLES
from poolrace.producer.reports.formats import html
from poolrace.producer.reports.page import figures
from poolrace.producer.reports.page.element import Markup, element, json_block
from poolrace.producer.reports.page.theme import themed
from tests.unit.made_up_pages import HOSTILE, chart, page_view

MADE_AT = "2026-01-02T03:04:05+00:00"
MAX_BYTES = 2_000_000


class Page(HTMLParser):
    """The elements of a page, and the text within them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the element."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Keep the text with the name of the element that began last."""
        self.texts.append((self.tags[-1][0] if self.tags else "", data))

    def of(self, tag: str) -> list[str]:
        """The texts of all elements with this tag."""
        return [text for name, text in self.texts if name == tag and text.strip()]


@pytest.fixture(scope="module")
def text() -> str:
    pytest.importorskip("vl_convert")
    return html.page(page_view(), MADE_AT)


@pytest.fixture(scope="module")
def hostile() -> str:
    pytest.importorskip("vl_convert")
    return html.page(page_view(HOSTILE), MADE_AT)


def test_hosts_come_first_then_findings_charts_tables_notes_and_the_command(text: str) -> None:
    page = Page(text)
    assert page.of("h1") == ["title host"]
    assert page.of("h2") == [
        "Findings", "Charts", "Results", "Each measurement", "Notes", "Repeat it",
    ]  # fmt: skip
    assert text.index("environment host") < text.index("<h2>Findings")
    assert "producer race --task &#x27;host&#x27;" in text


def test_a_page_is_one_file_of_at_most_two_megabytes_that_loads_nothing(text: str) -> None:
    assert len(text.encode()) <= MAX_BYTES
    for tag, attributes in Page(text).tags:
        assert tag not in ("link", "iframe", "object", "embed", "img", "base"), tag
        assert not {"src", "xlink:href", "action"} & set(attributes), (tag, attributes)
        assert (attributes.get("href") or "#").startswith("#"), (tag, attributes)


def test_the_policy_allows_these_scripts_by_hash_and_no_request(text: str) -> None:
    policy = next(
        attributes["content"]
        for tag, attributes in Page(text).tags
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy.split(";")[1]
    scripts = re.findall(r'<script type="module">(.*?)</script>', text, re.DOTALL)
    assert len(scripts) == 2
    for script in scripts:
        digest = b64encode(sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_text_of_others_makes_no_element_and_no_attribute(text: str, hostile: str) -> None:
    expected, found = Page(text), Page(hostile)
    assert [tag for tag, _ in found.tags] == [tag for tag, _ in expected.tags]
    assert [set(names) for _, names in found.tags] == [set(names) for _, names in expected.tags]
    assert "\x1b" not in hostile
    assert "\u2028" not in hostile.split('<script type="module">', maxsplit=1)[0]


def test_a_specification_survives_the_escapes_of_its_block() -> None:
    block = json_block({"a": "</script><!--\u2028&", "b": [1, None, 0.5]})
    content = block.removeprefix('<script type="application/json">').removesuffix("</script>")
    assert not re.search("[<>&\u2028]", content)
    assert json.loads(content) == {"a": "</script><!--\\u2028&", "b": [1, None, 0.5]}


def test_only_markup_is_not_escaped() -> None:
    assert element("p", "<b>", title='"') == '<p title="&quot;">&lt;b&gt;</p>'
    assert element("p", Markup("<b>")) == "<p><b></p>"


def test_each_table_is_a_region_that_keyboards_reach_with_headers_of_rows_and_columns(
    text: str,
) -> None:
    page = Page(text)
    regions = [names for tag, names in page.tags if names.get("class") == "scroll"]
    assert len(regions) == 2
    assert all(names["tabindex"] == "0" and names["aria-label"] for names in regions)
    headers = [names["scope"] for tag, names in page.tags if tag == "th"]
    assert (headers.count("col"), headers.count("row")) == (14, 15)
    assert {"0.123457", "-"} <= set(page.of("td"))


def test_two_charts_have_no_id_in_common() -> None:
    pytest.importorskip("vl_convert")
    one = page_view().charts[0]
    page = Page(html.page(page_view(charts=(one, replace(one, name="laps"))), MADE_AT))
    ids = [names["id"] for _, names in page.tags if "id" in names]
    assert len(ids) == len(set(ids)) > 2


def test_the_same_view_gives_the_same_bytes(text: str) -> None:
    figures.library.cache_clear()
    assert html.page(page_view(), MADE_AT) == text


def test_without_the_extra_a_page_has_tables_and_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(figures, "library", Markup)
    text = html.page(page_view(charts=()), MADE_AT)
    assert "poolrace[charts]" in text
    assert "<table" in text
    assert "<figure" not in text


def test_columns_with_one_value_are_a_sentence_above_the_measurements(text: str) -> None:
    assert "The same in all 3 rows: same host host." in Page(text).of("p")
    single = replace(page_view(charts=()), raw=[[1, 2, 3]])
    assert "The same in all" not in html.page(single, MADE_AT)


def test_a_page_of_any_results_has_at_most_two_megabytes_and_says_where_all_rows_are() -> None:
    pytest.importorskip("vl_convert")
    long = "x&" * 50_000
    one = chart("host", 900)
    charts = tuple(replace(one, name=f"timeline-{n}") for n in range(20))
    many = replace(
        page_view(charts=charts),
        title=long,
        cells=[tuple(str(number + column) for column in range(12)) for number in range(10_000)],
        raw=[[number, long, "same"] for number in range(10_000)],
        findings=[f"finding {number} {long}" for number in range(100)],
        notes=[f"note {number}" for number in range(10_000)],
        warnings=[long] * 100,
        environment=[long] * 100,
        invocation=long,
    )
    text = html.page(many, MADE_AT)
    assert 1_500_000 < len(text.encode()) <= MAX_BYTES
    page = Page(text)
    assert any(re.match(r"These are the first [\d,]+ of 10,000 rows", p) for p in page.of("p"))
    assert any("more sentence(s) are in the text report" in p for p in page.of("p"))
    assert "producer report RESULTS.json --format csv" in page.of("code")
    assert html.TOO_LONG in page.of("p")
    assert page.of("h3").count(charts[0].title) == len(charts)
    assert figures.TOO_LARGE in page.of("p")
    assert figures.NO_IMAGE in page.of("div")


def test_colours_of_charts_are_custom_properties_that_are_defined_for_light_and_dark(
    text: str,
) -> None:
    style = Page(text).of("style")[0]
    light, dark = style.split("@media screen and (prefers-color-scheme: dark)")[:2]
    for colour, name in VARIABLES.items():
        assert f"{name}:{colour};" in light
        assert f"{name}:{DARK[colour]};" in dark
    figure = text[text.index("<figure") : text.rindex("</figure>")]
    assert f"var({VARIABLES[BLUE]})" in figure
    assert not re.search("|".join(VARIABLES), figure, re.IGNORECASE)


def test_a_colour_in_the_data_of_a_chart_stays_as_it_is() -> None:
    spec = {"mark": {"color": BLUE.upper()}, "data": {"values": [{"host": BLUE}]}}
    shown = themed(spec)
    assert shown["mark"] == {"color": "var(--blue)"}
    assert shown["data"] == spec["data"]
