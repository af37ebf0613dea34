"""The chart of a run over time: it is drawn, it is the same each time, and its size is bounded."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from poolrace.producer.reports.charts import palette, rendering, style, timeline
from poolrace.producer.reports.charts.chart import Chart
from poolrace.producer.reports.charts.timeline import timeline_chart, timeline_charts
from poolrace.producer.reports.page.theme import themed
from poolrace.producer.results.run import Event, Run
from tests.unit.drawn_charts import image_of
from tests.unit.made_up_timelines import (
    a_run,
    comparison,
    large,
    of_threads,
    record,
    with_dead_host,
    with_hoard,
    with_straggler,
)

HOSTILE = "</script><b>' + alert(1) + '\u2028\x1b\"" + "x" * 300

RUNS: dict[str, Callable[[], Run]] = {
    "of_threads": of_threads,
    "with_straggler": with_straggler,
    "with_hoard": with_hoard,
    "with_dead_host": with_dead_host,
    "large": large,
    "large_with_hosts": lambda: large(hosts=20),
    "one_chunk": lambda: a_run([record("1", 1.0, 1.0, cpu_s=1.0, waited_s=0.0)]),
    "chunk_of_0_s": lambda: a_run([record("1", 0.0, 0.0, cpu_s=0.0, waited_s=0.0)]),
    "older_file": lambda: a_run([record("1", 1.0, 1.0, None)], chunks=9),
    "host_without_name": lambda: a_run([record("", 1.0, 1.0, host="")]),
}


def drawn(run: Run) -> Chart:
    with style.theme():
        chart = timeline_chart(run)
    assert chart is not None
    return chart


def image(run: Run, width: float = 760) -> str:
    chart = drawn(run)
    return rendering.svg(chart.spec, chart.name, width)


def subtitle(run: Run) -> str:
    return " ".join(drawn(run).spec["title"]["subtitle"])


def filled(svg: str, colour: str) -> int:
    """Number of shapes with this colour."""
    return len(re.findall(rf'fill="{colour}"', svg))


@pytest.mark.parametrize("name", RUNS)
def test_every_timeline_is_drawn_as_wide_as_its_page(name: str) -> None:
    run = RUNS[name]()
    for width in (390, 1600):
        size = re.search(r'<svg[^>]* width="([\d.]+)"', image(run, width))
        assert size is not None
        assert float(size[1]) == width


@pytest.mark.parametrize("name", RUNS)
def test_vega_lite_has_no_warnings_about_a_timeline(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    image_of(drawn(RUNS[name]()), capfd)


@pytest.mark.parametrize("name", RUNS)
def test_texts_are_no_smaller_than_11_pixels_and_colours_are_those_of_the_palette(
    name: str,
) -> None:
    svg = image(RUNS[name]())
    assert min(map(float, re.findall(r'font-size="([\d.]+)', svg))) >= 11
    colours = {colour.lower() for colour in re.findall(r'#[0-9a-fA-F]{3,6}(?=")', svg)}
    assert colours <= {*palette.DARK}


def test_a_run_without_chunks_has_no_timeline() -> None:
    assert timeline_chart(a_run([])) is None


def test_a_timeline_has_the_same_bytes_in_every_process() -> None:
    code = (
        "from tests.unit.test_timeline_charts import *\n"
        "for name in ('with_dead_host', 'large'): print(image(RUNS[name]()))"
    )
    fresh = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=120
    )
    for _ in range(2):
        texts = [image(RUNS[name]()) for name in ("with_dead_host", "large")]
        assert fresh.stdout == "".join(f"{text}\n" for text in texts)


def test_names_of_hosts_slots_and_events_are_drawn_as_text() -> None:
    events = [Event(0.5, HOSTILE, "silent", HOSTILE), Event(0.6, HOSTILE)]
    chunk = record(HOSTILE, 1.0, 0.5, host=HOSTILE, cpu_s=0.1, waited_s=0.1)
    other = record("1", 1.0, 0.5, host="\x00\u202e")
    run = a_run([chunk, other], events=events, model=HOSTILE, workload=HOSTILE)
    svg = image(run)
    assert "<b>" not in svg
    assert "<script" not in svg
    assert "&lt;/scrip" in svg
    assert filled(svg, palette.BLUE) >= 1
    assert HOSTILE[:6] not in json.dumps(expressions(drawn(run).spec))


def test_a_host_with_the_name_of_a_colour_keeps_its_name_on_a_page() -> None:
    two = [record("1", 1.0, 0.5, host=host) for host in (palette.BLUE, "b")]
    assert f'"{palette.BLUE} 1"' in json.dumps(themed(drawn(a_run(two)).spec))


def expressions(spec: Any) -> list[Any]:
    """All values of a specification that Vega-Lite reads as an expression."""
    if isinstance(spec, dict):
        own = [value for key, value in spec.items() if key in {"calculate", "filter", "labelExpr"}]
        return own + [found for value in spec.values() for found in expressions(value)]
    if isinstance(spec, list):
        return [found for value in spec for found in expressions(value)]
    return []


def test_a_timeline_zooms_over_time_only() -> None:
    (zoom,) = drawn(with_hoard()).spec["params"]
    assert zoom["name"] == "zoom"
    assert zoom["bind"] == "scales"
    assert zoom["select"] == {"type": "interval", "encodings": ["x"]}


def test_a_tooltip_tells_range_host_slot_duration_and_parts() -> None:
    text = json.dumps(drawn(with_hoard()).spec)
    for title in ("range", "host", "slot", "duration (s)", "CPU (s)", "waiting (s)", "sent at (s)"):
        assert f'"title": "{title}"' in text


def test_threads_that_compute_share_one_core() -> None:
    assert re.search(r"0\.9\d CPU cores; held up for 7\d% of their time", subtitle(of_threads()))
    assert filled(image(of_threads()), palette.PURPLE) >= len(of_threads().records)
    assert filled(image(with_straggler()), palette.PURPLE) == 0


def test_the_idle_time_of_each_slot_is_beside_its_row() -> None:
    assert len(re.findall(r">idle [\d.]+ s<", image(with_straggler()))) == 8


def test_chunks_that_wait_in_a_slot_have_lines_from_dispatch_to_start() -> None:
    hoard = [chunk for chunk in with_hoard().records if chunk.slot == "box.1"]
    lines = image(a_run(hoard, with_hoard().elapsed_s)).count('stroke-width="5.76"')
    assert lines == len([chunk for chunk in hoard if chunk.arrived_s - chunk.duration_s > 0])


def test_events_of_a_host_are_on_all_its_rows_and_grey_until_it_is_back() -> None:
    run = with_dead_host()
    svg = image(run)
    assert "its host is silent or gone" in subtitle(run)
    assert svg.count(">events<") == 1
    # Four slots of the silent host, and one symbol in the legend.
    assert filled(svg, palette.RED) == 5
    assert filled(svg, palette.GREY) == 4 + 2  # a duplicate with its symbol
    back = [*run.events, Event(5.0, "w2 is back", "joined", "w2")]
    assert image(replace(run, events=back)) != svg


def test_each_kind_of_mark_is_in_the_legend_once() -> None:
    svg = image(with_dead_host(), 390)
    for name in ("joined", "fell silent", "sent again", "duplicate", "backup copy", "reconnected"):
        assert svg.count(f">{name}<") == 1


def test_a_file_with_the_first_chunks_says_that_others_are_not_drawn() -> None:
    assert "records of 1 chunk only: 8 are not drawn" in subtitle(RUNS["older_file"]())


def test_a_timeline_of_1000_slots_and_100_000_chunks_is_small_and_fast() -> None:
    run = large(hosts=20)
    drawn(run)  # loads Altair
    began = time.process_time()
    chart = drawn(run)
    assert time.process_time() - began < 3
    assert len(json.dumps(chart.spec)) < 150_000
    assert chart.height_hint < 600


def test_a_comparison_has_a_timeline_per_case_on_one_time_axis() -> None:
    runs = (of_threads(), with_straggler(), of_threads())
    with style.theme():
        charts = timeline_charts(replace(comparison(), runs=runs))
    assert [chart.name for chart in charts] == ["timeline-1", "timeline-2"]
    domains = [domain for chart in charts for domain in x_domains(chart.spec)]
    assert all(domain == [0, with_straggler().elapsed_s] for domain in domains)


def x_domains(spec: Any) -> list[Any]:
    if isinstance(spec, dict):
        own = [spec["x"]["scale"]["domain"]] if "scale" in spec.get("x", {}) else []
        return own + [found for value in spec.values() for found in x_domains(value)]
    if isinstance(spec, list):
        return [found for value in spec for found in x_domains(value)]
    return []


def test_timelines_of_many_cases_stay_within_the_size_of_a_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(timeline, "MAX_BYTES", 60_000)
    slot = [record("1", 0.01 * n, 0.01, cpu_s=0.001234, waited_s=0.0) for n in range(200)]
    runs = tuple(a_run(slot, model=f"celery:{number}") for number in range(6))
    with style.theme():
        charts = timeline_charts(replace(comparison(), runs=runs))
    size_bytes = sum(len(json.dumps(chart.spec, separators=(",", ":"))) for chart in charts)
    assert 40_000 < size_bytes < 61_000
    text = " ".join(charts[-1].spec["title"]["subtitle"])
    assert f"No timeline of {6 - len(charts)} further cases" in text
