"""``producer map`` on real workers, as a user calls it."""

import json
import re

import pytest

from poolrace.producer.race.pool_map_strategy import LAP_S
from poolrace.producer.reports.formats import FORMATS
from tests.conftest import CommandLine
from tests.in_process import InProcess
from tests.races.test_busy_machine import background_load


@pytest.mark.timing
def test_processes_win_where_a_task_computes_and_a_map_is_rendered_in_all_formats(
    producer: CommandLine, producer_in_process: InProcess
) -> None:
    answer = producer(
        "map", "--waiting", "0,90", "--slots", "2,8", "--item-s", "0.03", "--repeat", "3",
        "--json", "--out", "map.json", "--report", "map.svg", timeout_s=120,
    )  # fmt: skip
    assert answer.code == 0, answer.err
    figures = answer.json()
    cells = {(cell["share"], cell["concurrency"]): cell for cell in figures["spots"]}
    assert cells.keys() == {(0.0, 2), (0.9, 2), (0.0, 8), (0.9, 8)}
    assert all(set(cell["pools"]) == {"prefork", "threads", "gevent"} for cell in cells.values())
    assert all(2 <= cell["laps"] <= 3 for cell in cells.values())
    computing = cells[0.0, 2]["pools"]
    assert (cells[0.0, 2]["outcome"], cells[0.0, 2]["winner"]) == ("faster", "prefork")
    assert computing["prefork"]["items_per_s"] > 1.2 * computing["threads"]["items_per_s"]
    waiting = cells[0.9, 8]["pools"]["threads"]
    assert waiting["items_per_s"] > 2 * cells[0.9, 2]["pools"]["threads"]["items_per_s"]
    assert waiting["peak_memory_bytes"] < cells[0.9, 8]["pools"]["prefork"]["peak_memory_bytes"]
    stored = json.loads((producer.directory / "map.json").read_text())
    most = LAP_S * 8 / 0.03  # items of a lap in the fastest cell
    assert max(map_lap["lap"]["items"] for map_lap in stored["laps"]) <= most + 1
    svg = (producer.directory / "map.svg").read_text()
    assert svg.startswith("<svg xmlns=")
    labels = re.findall(r'slots: (\d+);[^"]*share \(%\): (\d+); outcome: ([^;"]+)', svg)
    drawn = {(int(share) / 100, int(slots), outcome) for slots, share, outcome in labels}
    assert drawn == {(*place, cell["outcome"]) for place, cell in cells.items()}
    for name in FORMATS.keys() - {"trace"}:
        rendered = producer_in_process("report", "map.json", "--format", name, "--out", name)
        assert rendered.code == 0, rendered.err
    assert (producer.directory / "png").read_bytes().startswith(b"\x89PNG")


def test_one_lap_beside_busy_processes_makes_no_winner_and_names_the_load(
    producer: CommandLine,
) -> None:
    one_lap = ("--waiting", "0", "--slots", "2", "--item-s", "0.02", "--repeat", "1")
    with background_load():
        answer = producer("map", *one_lap, timeout_s=120)
    assert answer.code == 0, answer.err
    assert re.search(r"threads:2: [\d.]+ items/s \(waiting 0%\)", answer.err)
    assert "not distinguishable" in answer.out
    assert "wins" not in answer.out
    assert "The machine was busy in 1 of 1 cells" in answer.out
