"""The diff of two maps: cells, and the pools that win them."""

from dataclasses import replace

from poolrace.producer.analysis.diff import compare_results
from poolrace.producer.reports.views.view import view
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.files import load
from poolrace.producer.results.pool_map import PoolMap
from tests.unit.made_up_diffs import EXAMPLES


def test_a_map_names_the_cells_whose_winner_changed() -> None:
    old = load(EXAMPLES / "map.json")
    assert isinstance(old, PoolMap)
    laps = tuple(
        replace(each, lap=replace(each.lap, items_per_s=each.lap.items_per_s * 10))
        if each.share == 0 and each.lap.candidate == Candidate("threads", 2) else each
        for each in old.laps
    )  # fmt: skip
    diff = compare_results(old, replace(old, laps=laps))
    assert [case.case for case in diff.with_result("faster")] == ["threads:2 at 0% waiting"]
    assert diff.with_result("slower") == []
    assert any(
        finding.startswith("Changed: 0% waiting, 2 slots: prefork in OLD, threads in NEW")
        for finding in view(diff).findings
    )


def test_a_map_names_the_cells_that_lost_their_winner() -> None:
    old = load(EXAMPLES / "map.json")
    assert isinstance(old, PoolMap)
    cell = [each for each in old.laps if each.share == 0 and each.lap.candidate.concurrency == 2]
    noisy = {
        id(each): replace(each, lap=replace(each.lap, items_per_s=speed))
        for each, speed in zip(cell, (10.0, 40.0, 15.0, 35.0, 12.0, 30.0), strict=False)
    }
    new = replace(old, laps=tuple(noisy.get(id(each), each) for each in old.laps))
    findings = view(compare_results(old, new)).findings
    assert any("winner in one of the files only: 0% waiting, 2 slots" in each for each in findings)
    assert not any("only" in each for each in view(compare_results(old, old)).findings)


def test_two_laps_of_each_pool_in_a_cell_are_enough_for_a_map() -> None:
    old = load(EXAMPLES / "map.json")
    assert isinstance(old, PoolMap)
    two = replace(old, laps=tuple(each for each in old.laps if each.lap.round <= 2))
    cases = compare_results(two, two).cases
    assert {case.old_values for case in cases} == {2}
    assert all(case.judged for case in cases)
    one = replace(old, laps=tuple(each for each in old.laps if each.lap.round == 1))
    assert not any(case.judged for case in compare_results(one, one).cases)
    assert "fewer than 2 values in a file" in " ".join(view(compare_results(one, one)).findings)
