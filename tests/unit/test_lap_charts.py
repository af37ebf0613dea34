"""Charts of a race over time: laps, and distributions of waiting and running time."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from poolrace.producer.reports.charts import palette, rendering, style
from poolrace.producer.reports.charts.chart import Chart
from poolrace.producer.reports.charts.laps import MAX_LAPS, laps_chart
from poolrace.producer.reports.charts.latencies import MAX_CANDIDATES, latency_charts
from poolrace.producer.results.candidate import SOLO, Candidate
from poolrace.producer.results.race import Lap, Race
from tests.unit.drawn_charts import image_of
from tests.unit.made_up_races import PREFORK, THREADS, base, finals, lap, race

HOSTILE = "</script><b>'\u2028\x1b" + "x" * 300


def timed(laps: Sequence[Lap], step_s: float = 0.001) -> Race:
    """The race of these laps with their start times, and with quantiles."""
    quantiles_s = [step_s * number for number in range(21)]
    return race(
        [
            replace(
                one, at_s=2.0 * n, waiting_quantiles_s=quantiles_s, running_quantiles_s=quantiles_s
            )
            for n, one in enumerate(laps)
        ]
    )


def small() -> Race:
    return timed([*base(), lap(THREADS, "search", 1), *finals(PREFORK, 195.0), *finals(SOLO, 99.0)])


def drawn(raced: Race) -> list[Chart]:
    with style.theme():
        laps = laps_chart(raced)
        assert laps is not None
        return [laps, *latency_charts(raced)]


def image(chart: Chart, width: float = 760) -> str:
    return rendering.svg(chart.spec, chart.name, width)


def values(chart: Chart) -> list[dict[str, float | str]]:
    """All records in the data of a chart."""
    found = re.findall(r'"values": (\[\{.*?\}\])', json.dumps(chart.spec))
    return [record for records in found for record in json.loads(records)]


@pytest.mark.parametrize("width", [390, 1600])
def test_every_chart_is_drawn_as_wide_as_its_page_with_texts_of_11_pixels(width: int) -> None:
    for chart in drawn(small()):
        svg = image(chart, width)
        assert float(re.findall(r' width="([\d.]+)"', svg)[0]) == width
        assert min(map(float, re.findall(r'font-size="([\d.]+)', svg))) >= 11
        assert {*re.findall(r'#[0-9a-f]{6}(?=")', svg)} <= {*palette.DARK}


def test_vega_lite_has_no_warnings_about_these_charts(capfd: pytest.CaptureFixture[str]) -> None:
    for chart in drawn(small()):
        image_of(chart, capfd)


def test_the_charts_have_the_same_bytes_each_time() -> None:
    assert [*map(image, drawn(small()))] == [*map(image, drawn(small()))]


def test_files_of_older_versions_have_none_of_these_charts() -> None:
    older = race([*base(), *finals(PREFORK, 195.0)])
    assert laps_chart(older) is None
    assert latency_charts(older) == ()


def test_laps_of_each_stage_differ_and_finalists_have_names() -> None:
    svg = image(drawn(small())[0])
    texts = re.findall(r">([^<>]+)</text>", svg)
    for text in ("prefork", "threads", "solo", "prefork:2"):
        assert text in texts
    # Two hollow laps of the base, one of the search; ten filled final ones with two pools' symbols.
    assert svg.count(f'fill="{palette.BACKGROUND}" stroke=') == 3
    assert len(set(re.findall(r' d="(M[^"]*A[^"]*)"', svg))) >= 2


def test_names_of_finalists_do_not_cover_each_other() -> None:
    svg = image(drawn(timed([*finals(PREFORK, 100.0), *finals(SOLO, 100.0)]))[0])
    heights = re.findall(r'translate\([\d.]+,([\d.]+)\)"[^>]*>(?:prefork:2|solo)</text>', svg)
    first, second = sorted(map(float, heights))[:2]
    assert second - first >= 11


def test_of_very_many_laps_some_are_drawn_and_all_are_counted() -> None:
    chart = drawn(timed([lap(SOLO, "search", 1)] * (2 * MAX_LAPS + 1)))[0]
    assert "4,001 laps of 1 candidate, of which 1,334 are drawn" in chart.description
    assert len(json.dumps(chart.spec)) < 700_000


def test_the_share_of_items_rises_from_0_to_1_along_the_quantiles() -> None:
    _, waiting, running = drawn(small())
    for chart in (waiting, running):
        points = [row for row in values(chart) if row["candidate"] == "prefork:2"]
        assert [row["share"] for row in points] == [number / 20 for number in range(21)]
        assert [row["time_s"] for row in points[1:]] == pytest.approx(
            [0.001 * number for number in range(1, 21)]
        )


def test_latencies_are_medians_of_the_final_laps() -> None:
    slow, *fast = timed([lap(PREFORK, "search", 1), *finals(PREFORK, 195.0)]).laps
    quantiles_s = [5.0] * 21
    raced = race([replace(slow, waiting_quantiles_s=quantiles_s), *fast])
    assert max(row["time_s"] for row in values(drawn(raced)[1])) == pytest.approx(0.02)


def test_of_many_candidates_the_finalists_are_drawn_first() -> None:
    many = [lap(Candidate("threads", n), "search", 1) for n in range(1, 20)]
    waiting = drawn(timed([*many, *finals(PREFORK, 195.0)]))[1]
    names = list(dict.fromkeys(row["candidate"] for row in values(waiting)))
    assert names[0] == "prefork:2"
    assert len(names) == MAX_CANDIDATES
    text = " ".join(waiting.spec["title"]["subtitle"])
    assert f"{20 - MAX_CANDIDATES} further candidates not drawn" in text


def test_items_that_take_no_time_are_drawn() -> None:
    for chart in drawn(timed([*base()], step_s=0.0)):
        assert "NaN" not in image(chart)


def test_names_of_tasks_and_pools_are_drawn_as_text() -> None:
    laps = [lap(Candidate(HOSTILE, 2), "final", 1), lap(SOLO, "final", 1)]
    for chart in drawn(replace(timed(laps), task=HOSTILE)):
        svg = image(chart)
        assert "<b>" not in svg
        assert "&lt;/script&gt;" in svg
        assert len(chart.title) < 60
