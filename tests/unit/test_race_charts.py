"""The charts of a race: points, lines, labels and marks of made-up and of stored races."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from poolrace.producer.analysis.race_verdict import judge
from poolrace.producer.reports.charts import style
from poolrace.producer.reports.charts.chart import Chart
from poolrace.producer.reports.charts.race import race_charts
from poolrace.producer.reports.views.view import view
from poolrace.producer.results.candidate import SOLO, Candidate
from poolrace.producer.results.files import load
from poolrace.producer.results.race import Race
from tests.unit.drawn_charts import HOSTILE, image_of, words_of
from tests.unit.made_up_races import PREFORK, THREADS, base, computing_in_python, finals, lap, race

ROOT = Path(__file__).parents[2]

STORED = [
    ROOT / "tests/data/results/race.json",
    *(
        path
        for path in sorted((ROOT / "tests/data/races").glob("*.json"))
        if path.suffixes == [".json"]
    ),
]

NAMES = ("field", "title", "axis", "legend")
"""Keys of a channel that may hold no text of users: Vega-Lite makes expressions of them."""

TWO_WORKERS = Candidate("threads", 64, workers=2)

FOUR_WORKERS = Candidate("threads", 16, workers=4)


def charts_of(made_up: Race) -> dict[str, Chart]:
    with style.theme():
        return {chart.name: chart for chart in race_charts(made_up, judge(made_up))}


def layers(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """The innermost layers of a chart."""
    inner = spec.get("layer")
    return [found for layer in inner for found in layers(layer)] if inner else [spec]


def rows_of(chart: Chart, mark: str, field: str) -> list[dict[str, Any]]:
    """The rows of the first layer of these marks whose rows have this field."""
    return next(
        layer["data"]["values"]
        for layer in layers(chart.spec)
        if layer["mark"]["type"] == mark and field in layer["data"]["values"][0]
    )


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_the_charts_of_stored_races_are_drawn(
    path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    stored = load(path)
    assert isinstance(stored, Race)
    charts = charts_of(stored)
    assert list(charts)[:2] == ["throughput", "memory"]
    for chart in charts.values():
        assert image_of(chart, capfd).startswith("<svg")
    shown = " ".join(words_of(image_of(charts["throughput"], capfd)))
    assert "throughput (items/s)" in shown
    assert "more is better" in shown
    assert f"{judge(stored).recommended.candidate}" in shown


def test_the_view_of_a_race_has_its_charts() -> None:
    assert [chart.name for chart in view(computing_in_python()).charts] == ["throughput", "memory"]


def test_fastest_and_recommended_candidates_are_labelled(
    capfd: pytest.CaptureFixture[str],
) -> None:
    chart = charts_of(computing_in_python())["throughput"]
    shown = words_of(image_of(chart, capfd))
    assert "recommended and fastest:" in shown
    assert "prefork:2" in shown


def test_an_interval_is_drawn_from_three_laps_up_and_each_lap_is_a_point() -> None:
    two_laps = race([*base(), *finals(PREFORK, 195.0), *finals(THREADS, 98.0, rounds=2)])
    chart = charts_of(two_laps)["throughput"]
    intervals = rows_of(chart, "rule", "high")
    assert [row["candidate"] for row in intervals] == ["prefork:2"]
    assert len(rows_of(chart, "point", "lap")) == 9


def test_an_interval_does_not_change_the_axis() -> None:
    close = race([*base(), *finals(PREFORK, 195.0, rounds=3)])
    far = replace(
        close,
        laps=tuple(
            replace(each, items_per_s=50.0) if each.kind == "final" and each.round == 1 else each
            for each in close.laps
        ),
    )
    assert judge(far).fastest.ci95 != judge(close).fastest.ci95
    ends = [
        layers(charts_of(each)["throughput"].spec)[0]["encoding"]["y"]["scale"]["domain"][1]
        for each in (far, close)
    ]
    assert all(190 < end < 260 for end in ends)


def test_several_workers_have_lines_and_points_of_their_own(
    capfd: pytest.CaptureFixture[str],
) -> None:
    workers = [*finals(TWO_WORKERS, 300.0), *finals(FOUR_WORKERS, 250.0), *finals(THREADS, 98.0)]
    chart = charts_of(race([*base(), *workers]))["throughput"]
    points = next(
        layer for layer in layers(chart.spec) if layer["encoding"].get("fill", {}).get("title")
    )
    fills = points["encoding"]["fill"]["scale"]
    colours = dict(zip(fills["domain"], fills["range"], strict=True))
    assert list(colours) == ["threads", "2 x threads", "4 x threads", "solo"]
    assert colours["threads"] != colours["2 x threads"]
    shown = words_of(image_of(chart, capfd))
    assert {"2 x threads", "4 x threads", "4 x 16", "2 x threads:64"} <= set(shown)


def test_each_pool_has_a_colour_a_shape_and_a_dash_of_its_own() -> None:
    chart = charts_of(computing_in_python())["throughput"]
    for channel in ("stroke", "shape", "strokeDash"):
        scales = [
            layer["encoding"][channel]["scale"]["range"]
            for layer in layers(chart.spec)
            if channel in layer["encoding"]
        ]
        assert all(len({str(value) for value in values}) == len(values) for values in scales)
        assert scales


def test_failed_lost_and_given_up_candidates_are_marked(
    capfd: pytest.CaptureFixture[str],
) -> None:
    marked = race(
        [
            *base(),
            *finals(PREFORK, 195.0),
            lap(THREADS, "search", 1, failures={HOSTILE: 3}),
            lap(Candidate("prefork", 8), "search", 1, items=0, items_per_s=0.0, lost=True),
            lap(Candidate("gevent", 8), "search", 1, items_per_s=5.0, cut_short=True),
        ],
        left_out={"prefork:32": "memory", "not a candidate": "time"},
    )
    chart = charts_of(marked)["throughput"]
    marks = {
        row["candidate"]: (row["kind"], row["reason"]) for row in rows_of(chart, "point", "kind")
    }
    assert {name: kind for name, (kind, _) in marks.items()} == {
        "threads:2": "items failed", "prefork:8": "workers lost", "gevent:8": "given up",
        "prefork:32": "given up",
    }  # fmt: skip
    assert marks["prefork:32"][1] == "its workers need more memory than the memory limit"
    assert marks["threads:2"][1].startswith("3 of 203 items failed: </text>")
    assert {"items failed", "workers lost", "given up"} <= set(words_of(image_of(chart, capfd)))


def test_a_race_in_which_everything_failed_is_drawn(capfd: pytest.CaptureFixture[str]) -> None:
    failed = {"items": 0, "failures": {"ValueError": 9}, "items_per_s": 0.0}
    charts = charts_of(race([lap(SOLO, "base", 1, **failed), lap(PREFORK, "search", 1, **failed)]))
    for chart in charts.values():
        shown = words_of(image_of(chart, capfd))
        assert "items failed" in shown
        assert not any("recommended" in line for line in shown)


def test_one_candidate_has_no_chart_of_memory(capfd: pytest.CaptureFixture[str]) -> None:
    charts = charts_of(race(base()))
    assert list(charts) == ["throughput"]
    assert "solo" in words_of(image_of(charts["throughput"], capfd))


def test_axes_are_logarithmic_where_values_span_much() -> None:
    many = [*base(items_per_s=1.0), *finals(Candidate("gevent", 500), 900.0)]
    for laps, kind in ((many, "log"), ([*base(), *finals(PREFORK, 195.0)], None)):
        axes = layers(charts_of(race(laps))["throughput"].spec)[0]["encoding"]
        assert axes["x"]["scale"].get("type") == axes["y"]["scale"].get("type") == kind


def test_hostile_names_are_drawn_as_text(capfd: pytest.CaptureFixture[str]) -> None:
    hostile = replace(computing_in_python(), task=HOSTILE, app=HOSTILE, left_out={HOSTILE: "time"})
    candidate = Candidate(HOSTILE, 4)
    hostile = replace(hostile, laps=(*hostile.laps, *finals(candidate, 400.0)))
    for chart in charts_of(hostile).values():
        image = image_of(chart, capfd)
        assert "<script" not in image
        assert "</text><script>x</script> ]0;" in "".join(words_of(image))
        for layer in layers(chart.spec):
            channels = {**layer["encoding"], "tooltip": None}
            named = [(channel or {}).get(key) for channel in channels.values() for key in NAMES]
            assert not any("script" in str(name) for name in named)


def test_the_grey_line_has_the_candidates_than_which_no_other_is_better() -> None:
    mib = 2**20
    sized = [
        *finals(PREFORK, 200.0, peak_memory_bytes=90 * mib),
        *finals(Candidate("prefork", 4), 150.0, peak_memory_bytes=180 * mib),
        *finals(THREADS, 100.0, peak_memory_bytes=49 * mib),
    ]
    chart = charts_of(race([*base(items_per_s=90.0, peak_memory_bytes=60 * mib), *sized]))["memory"]
    assert [row["candidate"] for row in rows_of(chart, "line", "series")] == [
        "threads:2", "prefork:2",
    ]  # fmt: skip
