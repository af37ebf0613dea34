"""The chart of a diff: ratios with their intervals and results, on an axis that points decide."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from poolrace.producer.analysis.diff import CaseDiff, Diff, compare_results
from poolrace.producer.reports.charts import style
from poolrace.producer.reports.charts.chart import Chart
from poolrace.producer.reports.charts.diff import MAX_CASES, diff_charts
from poolrace.producer.reports.views.view import view
from poolrace.producer.results.files import load
from tests.unit.drawn_charts import HOSTILE, image_of, words_of
from tests.unit.made_up_diffs import EXAMPLES, compared

OLD = compared({
    "local:single": [2.0, 2.0], "local:threads": [2.0, 2.02, 2.01, 1.99],
    "local:processes": [1.0, 1.01, 0.99, 1.02], "celery:prefork": [1.3, 1.31, 1.29, 1.3],
    "celery:gevent": [2.2, 2.1, 2.3, 2.2],
})  # fmt: skip

NEW = compared({
    "local:single": [2.2, 2.0], "local:threads": [2.01, 2.02, 2.01, 1.99],
    "local:processes": [1.5, 1.51, 1.49, 1.52], "celery:prefork": [1.0, 1.01, 1.02, 1.0],
    "celery:gevent": [2.0, 2.9, 2.1, 4.2],
})  # fmt: skip


def chart_of(diff: Diff) -> Chart:
    with style.theme():
        (chart,) = diff_charts(diff)
    return chart


def rows_of(chart: Chart) -> list[dict[str, Any]]:
    return next(
        layer["data"]["values"] for layer in chart.spec["layer"] if layer["mark"]["type"] == "point"
    )


def ends_of(chart: Chart) -> list[float]:
    return list(chart.spec["layer"][0]["encoding"]["x"]["scale"]["domain"])


def with_cases(cases: list[CaseDiff]) -> Diff:
    return replace(compare_results(OLD, NEW), cases=cases)


def test_each_case_has_its_result_in_words_and_by_shape(capfd: pytest.CaptureFixture[str]) -> None:
    chart = chart_of(compare_results(OLD, NEW))
    shown = words_of(image_of(chart, capfd))
    assert {
        "too few 1.05", "same 1.00", "slower 1.50", "faster 0.77",
        "unclear 1.22", "not distinguishable", "celery:gevent, 2 slots",
    } <= set(shown)  # fmt: skip
    shape = next(
        layer["encoding"]["shape"] for layer in chart.spec["layer"] if "shape" in layer["encoding"]
    )
    assert len(set(shape["scale"]["range"])) == len(shape["scale"]["domain"]) == 5


@pytest.mark.parametrize(
    ("name", "better"),
    [("compare", "less is better"), ("race", "more is better"), ("map", "more is better"),
     ("sweep", "less is better"), ("scale", "less is better")],
)  # fmt: skip
def test_stored_results_are_compared_with_themselves(
    name: str, better: str, capfd: pytest.CaptureFixture[str]
) -> None:
    stored = load(Path(EXAMPLES / f"{name}.json"))
    diff = compare_results(stored, stored)
    chart = chart_of(diff)
    shown = words_of(image_of(chart, capfd))
    assert any(better in line for line in shown)
    assert [row["ratio"] for row in rows_of(chart)] == pytest.approx([1.0] * len(diff.cases))
    assert [each.name for each in view(diff).charts] == ["ratios"]


def test_the_band_has_the_width_of_the_margin() -> None:
    band = chart_of(compare_results(OLD, NEW, margin=0.25)).spec["layer"][0]
    assert band["data"]["values"] == [{"ratio": 1 / 1.25, "to": 1.25}]


def test_a_long_interval_does_not_squash_the_axis(capfd: pytest.CaptureFixture[str]) -> None:
    cases = compare_results(OLD, NEW).cases
    chart = chart_of(with_cases([replace(case, ci95=(1e-200, 1e200)) for case in cases]))
    low, high = ends_of(chart)
    assert 0.2 < low < 0.77
    assert 1.5 < high < 5
    image_of(chart, capfd)


def test_of_many_cases_those_that_changed_most_are_drawn() -> None:
    (case, *_) = compare_results(OLD, NEW).cases
    cases = [
        replace(case, case=f"case {n}", ratio=math.exp(n / 1000)) for n in range(MAX_CASES + 20)
    ]
    chart = chart_of(with_cases(cases))
    assert [row["name"] for row in rows_of(chart)] == [f"case {n}" for n in range(20, 100)]
    assert f"(of {len(cases)}, the most changed)" in " ".join(chart.spec["title"]["subtitle"])


def test_hostile_names_are_drawn_as_text(capfd: pytest.CaptureFixture[str]) -> None:
    cases = [replace(case, case=HOSTILE) for case in compare_results(OLD, NEW).cases]
    chart = chart_of(with_cases(cases))
    image = image_of(chart, capfd)
    assert "<script" not in image
    assert sum("</text><script>" in line for line in words_of(image)) == len(cases)


def test_a_diff_without_a_measured_case_has_no_chart() -> None:
    assert diff_charts(with_cases([])) == ()
