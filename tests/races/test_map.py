"""``producer map`` on real workers, as a user types it."""

import pytest

from poolrace.producer.reports.formats import FORMATS
from tests.conftest import CommandLine


@pytest.mark.timing
def test_a_map_finds_processes_for_computing_and_its_picture_can_be_pinned_up(
    producer: CommandLine,
) -> None:
    answer = producer(
        "map", "--waiting", "0,90", "--slots", "2,8", "--item-s", "0.03",
        "--json", "--out", "map.json", "--report", "map.svg", timeout_s=120,
    )  # fmt: skip
    assert answer.code == 0, answer.err
    told = answer.json()
    map_cells = {(it["share"], it["concurrency"]): it for it in told["map_cells"]}
    assert map_cells.keys() == {(0.0, 2), (0.9, 2), (0.0, 8), (0.9, 8)}
    assert all(set(it["pools"]) == {"prefork", "threads", "gevent"} for it in map_cells.values())
    computing = map_cells[0.0, 2]["pools"]
    assert map_cells[0.0, 2]["winner"] == "prefork"
    assert computing["prefork"]["items_per_s"] > 1.2 * computing["threads"]["items_per_s"]
    waiting = map_cells[0.9, 8]["pools"]["threads"]
    assert waiting["items_per_s"] > 2 * map_cells[0.9, 2]["pools"]["threads"]["items_per_s"]
    assert waiting["peak_memory_bytes"] < map_cells[0.9, 8]["pools"]["prefork"]["peak_memory_bytes"]
    picture = (producer.directory / "map.svg").read_text()
    assert picture.startswith("<svg xmlns=")
    assert picture.count("<rect") == 1 + len(map_cells)
    for name in FORMATS:
        rendered = producer("report", "map.json", "--format", name, "--out", name)
        assert rendered.code == 0, rendered.err
    assert (producer.directory / "png").read_bytes().startswith(b"\x89PNG")
