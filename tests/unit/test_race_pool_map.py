"""Winners of the cells of a pool map, its sentences and its charts."""

import re
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from poolrace.producer.analysis.pool_map_winners import MapCell, map_cells
from poolrace.producer.reports.charts import rendering
from poolrace.producer.reports.formats import format_for, image
from poolrace.producer.reports.views.view import view
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.environment import Environment
from poolrace.producer.results.files import load, save
from poolrace.producer.results.pool_map import MapLap, PoolMap
from poolrace.workers.errors import UsageError
from poolrace.workers.host_facts import HostFacts
from tests.unit.made_up_races import MIB, lap

SPEEDS = (0.99, 1.0, 1.01)
"""Ratio of the speed of each round to the typical one."""

HOST = HostFacts("vm", "m", 2, None, "cpu", "Linux", "CPython 3.11", gil=True)

Figures = tuple[float, int]
"""Items/s and MiB."""


def pool_map_of(figures: dict[tuple[float, int], dict[str, Figures]], **fields: Any) -> PoolMap:
    laps = [
        MapLap(share, _lap(pool, slots, number, items_per_s * noise, mib))
        for (share, slots), pools in figures.items()
        for pool, (items_per_s, mib) in pools.items()
        for number, noise in enumerate(SPEEDS)
    ]
    return PoolMap(
        made_at="2026-01-01T00:00:00+00:00",
        item_s=0.05,
        shares=sorted({share for share, _ in figures}),
        concurrencies=sorted({slots for _, slots in figures}),
        repeat=len(SPEEDS),
        left_out={},
        environment=Environment([HOST], {"celery": "5.7.0"}),
        laps=tuple(laps),
        **fields,
    )


def _lap(pool: str, slots: int, number: int, items_per_s: float, mib: int) -> Any:
    figures = {"items_per_s": items_per_s, "peak_memory_bytes": mib * MIB}
    return lap(Candidate(pool, slots), "search", number, **figures)


def single_cell(pools: dict[str, Figures]) -> MapCell:
    [[cell]] = map_cells(pool_map_of({(0.0, 2): pools}))
    return cell


WIDE = {
    (0.0, 2): {"prefork": (40.0, 200), "threads": (20.0, 100)},
    (0.9, 2): {"prefork": (40.0, 200), "threads": (40.0, 100)},
    (0.0, 8): {"prefork": (40.0, 500), "threads": (20.0, 100)},
    (0.9, 8): {"prefork": (160.0, 500), "threads": (158.0, 110)},
}


def winners(pool_map: PoolMap) -> list[list[str | None]]:
    return [
        [cell.winner.pool if cell.winner else None for cell in row] for row in map_cells(pool_map)
    ]


def with_laps(pool_map: PoolMap, number: int, **fields: Any) -> PoolMap:
    """The map with the first laps of each pool in each cell only."""
    laps = [map_lap for map_lap in pool_map.laps if map_lap.lap.round < number]
    return replace(pool_map, laps=tuple(laps), **fields)


def sentences_of(pool_map: PoolMap) -> str:
    return " ".join(view(pool_map).findings)


def test_the_fastest_pool_wins_and_among_tied_pools_the_one_with_the_least_memory() -> None:
    assert winners(pool_map_of(WIDE)) == [["prefork", "threads"], ["prefork", "threads"]]


@pytest.mark.parametrize(
    ("threads", "winner", "tied"),
    [
        ((99.0, 50), "threads", ["prefork", "threads"]),
        ((96.0, 50), "threads", ["prefork", "threads"]),
        ((80.0, 50), "prefork", ["prefork"]),
        ((99.0, 300), "prefork", ["prefork", "threads"]),
    ],
)
def test_a_difference_of_a_few_percent_is_a_tie(
    threads: Figures, winner: str, tied: list[str]
) -> None:
    cell = single_cell({"prefork": (100.0, 200), "threads": threads})
    assert cell.winner
    assert (cell.winner.pool, [summary.pool for summary in cell.tied]) == (winner, tied)


def test_one_lap_of_each_pool_makes_no_winner() -> None:
    once = with_laps(pool_map_of(WIDE), 1, repeat=1)
    assert winners(once) == [[None, None], [None, None]]
    sentences = sentences_of(once)
    assert "wins" not in sentences
    assert "In 4 of 4 cells the fastest pool is not distinguishable" in sentences
    assert "One lap does not show which pool is faster; give --repeat 2 or more." in sentences


def test_two_laps_decide_a_cell_together_with_the_model() -> None:
    assert winners(with_laps(pool_map_of(WIDE), 2)) == winners(pool_map_of(WIDE))


def test_two_laps_that_contradict_the_model_do_not_decide() -> None:
    odd = pool_map_of({(0.0, 2): {"prefork": (20.0, 200), "threads": (40.0, 100)}})
    assert winners(with_laps(odd, 2)) == [[None]]
    assert winners(odd) == [["threads"]]


def test_on_a_busy_machine_laps_that_contradict_the_model_never_decide() -> None:
    odd = pool_map_of({(0.0, 2): {"prefork": (20.0, 200), "threads": (40.0, 100)}})
    busy = replace(odd, laps=tuple(replace(map_lap, cores_left=0.2) for map_lap in odd.laps))
    assert winners(busy) == [[None]]
    sentences = sentences_of(busy)
    assert "busy in 1 of 1 cells: other processes left 0.2 of 2 cores, at worst" in sentences
    assert sentences.endswith("Measure again on a quiet machine.")


def test_one_pool_alone_wins_nothing() -> None:
    assert single_cell({"prefork": (100.0, 200)}).outcome == "not distinguishable"


def test_a_cell_without_laps_is_predicted_only_where_a_neighbour_confirms_the_model() -> None:
    confirmed = without(WIDE, (0.0, 8))
    [_, [computing, waiting]] = map_cells(confirmed)
    assert (computing.outcome, waiting.outcome) == ("predicted", "same")
    assert computing.winner is None
    assert "No laps were run in 1 of 4 cells" in sentences_of(confirmed)
    other = {**WIDE, (0.0, 2): {"prefork": (20.0, 200), "threads": (40.0, 100)}}
    [_, [computing, _]] = map_cells(without(other, (0.0, 8)))
    assert computing.outcome == "not measured"


def without(
    figures: dict[tuple[float, int], dict[str, Figures]], cell: tuple[float, int]
) -> PoolMap:
    """The map without the laps of a cell."""
    pool_map = pool_map_of(figures)
    laps = [
        map_lap
        for map_lap in pool_map.laps
        if (map_lap.share, map_lap.lap.candidate.concurrency) != cell
    ]
    return replace(pool_map, laps=tuple(laps))


def test_a_cell_that_is_not_measured_is_said_to_be() -> None:
    pool_map = replace(without(WIDE, (0.9, 8)), complete=False)
    assert view(pool_map).cells[-1][-1] == "not measured"
    assert "1 of 4 cells were not measured: 8 slots at 90%. Give a higher --budget-s." in (
        sentences_of(pool_map)
    )


def test_sentences_say_where_a_pool_wins_and_how_much_memory_it_saves() -> None:
    sentences = sentences_of(pool_map_of(WIDE))
    assert (
        "prefork wins 2 of 4 cells, at 0% of waiting; its largest lead is 2.00 times" in sentences
    )
    assert (
        "In 2 of 4 cells the fastest pools are equally fast, to 10 %, and the one with the least"
        " memory is threads in 2: at 90% and 8 slots threads takes 110 MiB, prefork 500 MiB."
    ) in sentences


def test_a_stored_map_is_the_same_map(tmp_path: Path) -> None:
    pool_map = pool_map_of(WIDE)
    save(pool_map, tmp_path / "map.json")
    assert load(tmp_path / "map.json") == pool_map


def test_an_svg_is_complete_and_self_contained() -> None:
    pool_map = pool_map_of(WIDE)
    text = image.svg(pool_map)
    root = ElementTree.fromstring(text)
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    assert [0.0, 0.0, width, height] == [float(number) for number in root.attrib["viewBox"].split()]
    assert "var(" not in text
    assert not re.search(r'(href|src)="|url\((?!#)', text)
    content = view(pool_map)
    shown = ["".join(part.itertext()) for part in root.iter("{http://www.w3.org/2000/svg}text")]
    for line in (content.title, content.summary, *content.environment):
        assert line.split()[0] in " ".join(shown)


def test_a_png_has_the_pixels_of_the_svg_and_is_the_same_each_time() -> None:
    pool_map = pool_map_of(WIDE)
    pixels = image.png(pool_map)
    root = ElementTree.fromstring(image.svg(pool_map))
    size = struct.unpack(">II", pixels[16:24])  # the header chunk (PNG specification, 11.2.2)
    expected = [round(rendering.ZOOM * float(root.attrib[name])) for name in ("width", "height")]
    assert [abs(a - b) <= 1 for a, b in zip(size, expected, strict=True)] == [True, True]
    assert image.png(pool_map) == pixels


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.svg", "svg"), ("a.PNG", "png"), ("a.md", "markdown"), ("a.b.html", "html")],
)
def test_the_format_of_a_report_follows_from_the_end_of_its_name(name: str, expected: str) -> None:
    assert format_for(Path(name)) == expected


@pytest.mark.parametrize("name", ["a.pdf", "a", ".svg", "a.json"])
def test_a_name_that_no_format_has_is_refused_with_the_formats(name: str) -> None:
    with pytest.raises(UsageError, match=r"ends in \.txt, \.md, \.csv, \.html, \.svg, \.png"):
        format_for(Path(name))
