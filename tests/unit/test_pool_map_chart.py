"""The chart of a pool map: winners in words, in cells that narrow screens can show."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from poolrace.producer.analysis.pool_map_winners import MapCell, Outcome, PoolSummary, map_cells
from poolrace.producer.reports.charts import style
from poolrace.producer.reports.charts.chart import Chart
from poolrace.producer.reports.charts.pool_map import MANY, NAME, map_charts
from poolrace.producer.reports.views.view import view
from poolrace.producer.results.files import load
from poolrace.producer.results.pool_map import PoolMap
from tests.unit.drawn_charts import HOSTILE, image_of, words_of

ROOT = Path(__file__).parents[2]

STORED = [ROOT / "tests/data/results/map.json", ROOT / "tests/data/pool_map.json"]

FAST, SLOW = (
    PoolSummary(name, speed, 50, ()) for name, speed in (("prefork", 30.0), ("gevent", 20.0))
)
SAME = PoolSummary("threads", 29.0, 20, ())

NO_LAPS = MapCell(0.25, 4, [], 0, None, False, frozenset({"prefork"}))


def stored_map(path: Path) -> PoolMap:
    stored = load(path)
    assert isinstance(stored, PoolMap)
    return stored


def chart_of(cells: list[list[MapCell]]) -> Chart:
    with style.theme():
        (chart,) = map_charts(cells)
    return chart


def records(chart: Chart) -> list[dict[str, Any]]:
    return [
        row
        for layer in chart.spec["layer"]
        if layer["mark"]["type"] == "rect"
        for row in layer["data"]["values"]
    ]


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.parent.name)
def test_each_cell_of_a_stored_map_has_its_winner_in_words(
    path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    cells = map_cells(stored_map(path))
    chart = chart_of(cells)
    shown = words_of(image_of(chart, capfd))
    winners = [cell.winner.pool if cell.winner else "unclear" for row in cells for cell in row]
    # The legend names each pool once more.
    assert all(shown.count(name) >= winners.count(name) for name in winners)
    assert {"share of its time that the task waits (%)", "slots", "winner"} <= set(shown)
    assert f"{len(winners)} cells" in chart.description


def test_the_view_of_a_map_has_its_chart() -> None:
    assert [chart.name for chart in view(stored_map(STORED[0])).charts] == ["map"]


@pytest.mark.parametrize(
    ("cell", "texts"),
    [
        (replace(NO_LAPS, pools=[FAST, SLOW], laps=2, outcome="faster", tied=(FAST,)),
         ["prefork", "1.50 x"]),
        (replace(NO_LAPS, pools=[FAST, SAME, SLOW], laps=2, outcome="same", tied=(FAST, SAME)),
         ["threads", "1.03 x", "ties", "prefork"]),
        (replace(NO_LAPS, pools=[FAST, SAME], laps=2, outcome="same", tied=(FAST, SAME)),
         ["threads", "1.03 x", "all tied"]),
        (replace(NO_LAPS, pools=[FAST, SAME, SLOW], laps=2, outcome="not distinguishable",
                 tied=(FAST, SAME)), ["unclear", "1.03 x", "prefork?", "threads?"]),
        (replace(NO_LAPS, outcome="predicted"), ["prefork", "model"]),
        (NO_LAPS, ["-", "no laps"]),
    ],
    ids=["faster", "one-tied", "all-tied", "unclear", "predicted", "no-laps"],
)  # fmt: skip
def test_a_cell_says_its_outcome_in_words(
    cell: MapCell, texts: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    chart = chart_of([[cell]])
    assert [[row["head"], *row["rest"]] for row in records(chart)] == [texts]
    assert set(texts) <= set(words_of(image_of(chart, capfd)))


def test_outcomes_differ_in_fill_and_border_not_in_colour_alone() -> None:
    outcomes: list[Outcome] = ["faster", "same", "not distinguishable"]
    tied = {"faster": (FAST,)}
    cells = [
        replace(
            NO_LAPS,
            share=number / 10,
            pools=[FAST, SAME],
            laps=2,
            outcome=outcome,
            tied=tied.get(outcome, (FAST, SAME)),
        )
        for number, outcome in enumerate(outcomes)
    ]
    marks = [layer["mark"] for layer in chart_of([cells]).spec["layer"]]
    borders = [
        (mark["fillOpacity"], mark["strokeDash"]) for mark in marks if mark["type"] == "rect"
    ]
    assert len({str(border) for border in borders}) == len(borders) == 3


def test_texts_fit_their_cells_on_a_phone() -> None:
    row = map_cells(stored_map(STORED[0]))[0]
    assert all(
        len(line) <= NAME + 1
        for one in records(chart_of([row]))
        for line in (one["head"], *one["rest"])
    )
    many = [replace(row[0], share=number / 20) for number in range(MANY + 4)]
    assert all(
        len(line) <= 5 for one in records(chart_of([many])) for line in (one["head"], *one["rest"])
    )


def test_hostile_names_are_drawn_as_text(capfd: pytest.CaptureFixture[str]) -> None:
    hostile = replace(FAST, pool=HOSTILE)
    cell = replace(NO_LAPS, pools=[hostile, SLOW], laps=2, outcome="faster", tied=(hostile,))
    image = image_of(chart_of([[cell]]), capfd)
    assert "<script" not in image
    assert any("</t" in line for line in words_of(image))


def test_a_map_without_a_complete_row_has_no_chart() -> None:
    assert map_charts([]) == ()
