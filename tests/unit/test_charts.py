"""Charts of comparisons, sweeps and scaling series: data, axes, legends, titles, hostile text."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from poolrace.producer.analysis.scaling_laws import ChunkFit, ScalabilityFit
from poolrace.producer.reports.charts import rendering
from poolrace.producer.reports.charts.chart import Chart
from poolrace.producer.reports.charts.words import labels, seconds
from poolrace.producer.reports.formats import image
from poolrace.producer.reports.views.view import view
from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.files import load
from tests.unit.made_up_comparisons import EXAMPLES, ROOT, compared, example, series

MODELS = {"local:single": (4.0, 4.2, 4.1), "celery:prefork": (2.0, 2.6, 2.1)}

SWEPT = series("chunks", {n: (t, t) for n in (2, 8, 32, 128, 512)
                          if (t := ChunkFit(1, 2.0, 0.001, 4.0).time_s(n))})  # fmt: skip
SCALED = series("hosts", {n: (t, 1.1 * t) for n in (1, 2, 4, 8, 16)
                          if (t := 1 / ScalabilityFit(0.1, 0.02, 0.01).throughput(n))})  # fmt: skip

PHONE, PAGE = 340, 940
"""Pixels that a chart has on screens of 390 and of 1000 pixels."""

LEAST_TEXT = 11
"""Pixels of height of a text, at least."""

HOSTILE = (
    "\"'><script>alert(1)</script>", "{{datum.label}}", "datum['x']", "a.b[0].c", "${1+1}",
    "new\nline\x1b[31m", "\u202eabc", "<!--", "&amp;", "x" * 3000, "", " ", "null", "__proto__",
)  # fmt: skip

Rows = list[dict[str, Any]]


def chart(comparison: Comparison, name: str = "times") -> Chart:
    return next(each for each in view(comparison).charts if each.name == name)


def layers(drawn: Chart) -> dict[str, Rows]:
    """Type of a layer's marks -> the records of its data."""
    return {
        layer["mark"]["type"]: layer["data"]["values"] for layer in drawn.spec["layer"]
    }  # each of these charts has one layer of a type


def texts(drawn: Chart, width: float = PAGE) -> list[str]:
    """All texts of the drawn chart."""
    root = ElementTree.fromstring(rendering.svg(drawn.spec, "chart", width))
    return ["".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")]


def test_a_comparison_has_a_row_per_case_in_the_order_of_the_table() -> None:
    compared_models = view(example("compare"))
    rows = layers(chart(example("compare")))["bar"]
    assert [row["label"] for row in rows] == [cells[0] for cells in compared_models.cells]


def test_each_run_of_a_comparison_is_a_point_and_the_line_ends_at_the_fastest_and_slowest() -> None:
    drawn = layers(chart(compared(MODELS)))
    assert [row["time_s"] for row in drawn["point"]] == [4.0, 4.2, 4.1, 2.0, 2.6, 2.1]
    (single, prefork) = drawn["rule"]
    assert (single["fastest_s"], single["median_s"], single["slowest_s"]) == (4.0, 4.1, 4.2)
    assert prefork["text"] == "2.10 s · 1.95x"


def test_a_single_run_has_no_line() -> None:
    image_of_one = rendering.svg(chart(compared({"local:single": (4.0,)})).spec, "chart", PAGE)
    image_of_two = rendering.svg(chart(compared({"local:single": (4.0, 5.0)})).spec, "chart", PAGE)
    lines = [
        re.findall(r'<line [^>]*stroke="#1d2433"', image) for image in (image_of_one, image_of_two)
    ]
    assert [len(each) for each in lines] == [0, 1]


def test_kinds_of_models_differ_in_colour_and_shape_and_the_legend_names_them() -> None:
    drawn = chart(compared({**MODELS, "future:model": (3.0,)}))
    bars, _, _, points, _ = drawn.spec["layer"]
    colour, shape = bars["encoding"]["color"]["scale"], points["encoding"]["shape"]["scale"]
    assert colour["domain"] == shape["domain"] == ["local", "Celery", "other"]
    assert len(set(colour["range"])) == len(set(shape["range"])) == 3
    assert {"kind of model", "local", "Celery", "other"} <= set(texts(drawn))


@pytest.mark.parametrize(("slow_s", "kind"), [(20.0, "bar"), (100.0, "point")])
def test_cases_that_differ_much_are_points_on_a_logarithmic_axis(slow_s: float, kind: str) -> None:
    drawn = chart(compared({"local:single": (slow_s,), "local:threads": (1.0,)}))
    (first,) = (layer for layer in drawn.spec["layer"] if "color" in layer["encoding"])
    assert first["mark"]["type"] == kind
    assert (first["encoding"]["x"]["scale"].get("type") == "log") == (kind == "point")
    assert ("logarithmic" in first["encoding"]["x"]["title"]) == (kind == "point")


def test_a_case_that_is_not_exact_says_so_in_its_row() -> None:
    first = compared(MODELS)
    wrong = replace(first.runs[0], exact=False)
    drawn = chart(replace(first, runs=(wrong, *first.runs[1:])))
    assert "4.10 s · 1.00x NOT EXACT" in texts(drawn)


def test_cases_of_one_model_with_other_slots_have_labels_of_their_own() -> None:
    first = compared({"local:threads": (1.0, 2.0)})
    more = replace(first.runs[1], slots=8)
    rows = layers(chart(replace(first, runs=(first.runs[0], more))))["bar"]
    assert [row["label"] for row in rows] == ["local:threads 1", "local:threads 8"]


def test_a_sweep_shows_runs_fitted_curves_and_the_optimum() -> None:
    drawn = chart(SWEPT)
    assert len(layers(drawn)["point"]) == len(SWEPT.runs)
    shown = texts(drawn)
    for text in ("fitted time", "overhead", "imbalance", "optimum 63", "512",
                 "number of chunks (logarithmic)", "time (s); less is better"):  # fmt: skip
        assert text in shown
    curves = {row["curve"] for row in layers(drawn)["line"]}
    assert curves == {"fitted time", "overhead", "imbalance"}
    encoding = drawn.spec["layer"][0]["encoding"]
    for channel in ("color", "strokeDash"):
        assert len({str(value) for value in encoding[channel]["scale"]["range"]}) == 3


def test_a_fitted_curve_goes_through_the_measured_times() -> None:
    fitted = {
        row["x"]: row["y"] for row in layers(chart(SWEPT))["line"] if row["curve"] == "fitted time"
    }
    for row in layers(chart(SWEPT))["tick"]:
        nearest = min(fitted, key=lambda x: abs(x - row["x"]))
        assert fitted[nearest] == pytest.approx(row["y"], rel=0.02)


def test_a_sweep_without_a_fit_marks_the_fastest_number() -> None:
    assert "fastest 8" in texts(chart(series("chunks", {2: (2.0, 2.1), 8: (1.0, 1.2)})))


def test_a_scaling_series_shows_the_ideal_line_the_law_its_peak_and_the_efficiency() -> None:
    shown = texts(chart(SCALED, "speed-up"))
    for text in ("ideal", "Universal Scalability Law", "peak 9.9", "100%", "number of hosts",
                 "speed-up; more is better"):  # fmt: skip
        assert text in shown
    assert len(layers(chart(SCALED, "speed-up"))["point"]) == len(SCALED.runs)
    efficiency = chart(SCALED, "efficiency")
    assert "efficiency (%); more is better" in texts(efficiency)
    ends = layers(efficiency)["rule"][-1]
    assert ends["low"] < ends["y"] < ends["high"]


def test_a_scaling_series_over_many_magnitudes_has_logarithmic_axes() -> None:
    wide = series("hosts", {1: (2.0,), 10: (0.3,), 1000: (0.02,)})
    near = series("hosts", {1: (2.0,), 2: (1.0,), 8: (0.3,)})
    for numbers, kind in ((wide, "log"), (near, None)):
        for chart_of in (chart(numbers, "speed-up"), chart(numbers, "efficiency")):
            scale = chart_of.spec["layer"][0]["encoding"]["x"]["scale"]
            assert scale.get("type", "linear") == (kind or "linear")
        y = chart(numbers, "speed-up").spec["layer"][0]["encoding"]["y"]
        assert y["scale"].get("type") == kind
        assert y["scale"]["domain"][0] < 1.0


def test_one_run_of_each_number_has_no_spread() -> None:
    assert "rule" not in layers(chart(series("slots", {1: (2.0,), 2: (1.0,)}), "speed-up"))


CHARTED = ("compare", "mixed", "sweep", "scale", "one-two-two", "race", "map")


@pytest.mark.parametrize("name", CHARTED)
@pytest.mark.parametrize("width", [PHONE, PAGE])
def test_no_text_of_a_chart_is_below_11_pixels(name: str, width: int) -> None:
    for drawn in view(load(EXAMPLES / f"{name}.json")).charts:
        picture = rendering.svg(drawn.spec, "chart", width)
        sizes = [float(size) for size in re.findall(r'font-size="([\d.]+)px"', picture)]
        assert sizes
        assert min(sizes) >= LEAST_TEXT


@pytest.mark.parametrize("name", CHARTED)
def test_each_chart_has_a_title_a_description_and_named_axes(name: str) -> None:
    for drawn in view(load(EXAMPLES / f"{name}.json")).charts:
        assert drawn.title
        assert drawn.description.endswith(".")
        assert drawn.spec["title"]["text"]
        assert re.search(r"\b(s|%|slots|hosts|chunks|speed-up)\b", " ".join(texts(drawn)))


def test_a_chart_is_as_wide_as_asked() -> None:
    for drawn in (chart(example("compare")), chart(SWEPT), chart(SCALED, "speed-up")):
        root = ElementTree.fromstring(rendering.svg(drawn.spec, "chart", PHONE))
        assert float(root.attrib["width"]) == pytest.approx(PHONE, abs=2)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_drawn_as_text(text: str) -> None:
    """In each place that a chart shows; ``datum`` is Vega's name of a record."""
    first = compared({f"local:{text}": (4.0, 4.1), f"celery:{text}": (2.0,), f"{text}:x": (3.0,)})
    hostile = replace(
        first,
        workload=text,
        runs=tuple(replace(run, workload=text) for run in first.runs),
        schedule=text,
    )
    picture = ElementTree.fromstring(image.svg(hostile))
    assert {element.tag.rpartition("}")[2] for element in picture.iter()} <= {
        "svg", "g", "path", "text", "tspan", "rect", "line", "title", "defs", "clipPath"
    }  # fmt: skip
    shown = ["".join(part.itertext()) for part in picture.iter("{http://www.w3.org/2000/svg}text")]
    for expected in labels([f"local:{text}", f"celery:{text}", f"{text}:x"]):
        assert any(" ".join(expected.split()) == " ".join(each.split()) for each in shown), expected


def test_text_of_users_is_in_data_and_titles_of_charts_alone() -> None:
    """Vega-Lite puts names of fields, domains of scales and titles of axes into expressions."""
    first = compared({"local:single": (1.0, 2.0), "celery:needle": (2.0, 3.0)})
    for drawn in view(first).charts:
        spec = json.loads(json.dumps(drawn.spec))
        for layer in spec["layer"]:
            layer.pop("data", None)
            layer["encoding"]["y"]["scale"].pop("domain", None)  # a literal of the scale
        spec.pop("title")
        spec.pop("datasets", None)
        assert "needle" not in json.dumps(spec)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a", "a", "b"], ["a", "a (2)", "b"]),
        (["", " "], ["-", "- (2)"]),
        (["x" * 50], ["xxxxxxxxxx…xxxxxxxxxxx"]),
        (["line\nbreak"], ["line break"]),
    ],
)
def test_labels_of_rows_differ_and_fit(names: list[str], expected: list[str]) -> None:
    assert labels(names) == expected


@pytest.mark.parametrize(
    ("value_s", "text"),
    [(0.01234, "0.0123 s"), (3.0, "3.00 s"), (45.67, "45.7 s"), (1234.5, "1,234 s")],
)
def test_seconds_have_three_digits(value_s: float, text: str) -> None:
    assert seconds(value_s) == text


def test_without_the_extra_a_view_has_no_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "find_spec", lambda module: None)
    assert view(example("compare")).charts == ()


def test_charts_are_not_made_for_formats_without_them() -> None:
    code = (
        "import sys; from pathlib import Path; from poolrace.producer.results.files import load;"
        " from poolrace.producer.reports.formats import FORMATS;"
        " FORMATS['text'](load(Path(sys.argv[1]))); print('altair' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(Path(EXAMPLES / "compare.json"))]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "False\n"
