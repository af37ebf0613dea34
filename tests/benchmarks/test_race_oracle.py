"""Regret and memory against an oracle, and the file of an oracle."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.race.oracle import Measured, Oracle, digest, load, path_of, save, with_paired
from benchmarks.race.run import oracle_budget_s
from poolrace.producer.results.candidate import Candidate
from poolrace.workers.errors import UsageError
from tests.benchmarks.made_up_workers import MIB, lap

FAST, NEAR, LEAN, SLOW = (
    Candidate("prefork", 64, 2), Candidate("prefork", 64), Candidate("threads", 64, 2),
    Candidate("gevent", 64),
)  # fmt: skip
KEY = {"cpu": "a CPU", "cores": 2, "files": "abc"}


def oracle(**facts: Any) -> Oracle:
    return Oracle(
        app="sleeping",
        made_at="2026-01-01T00:00:00+00:00",
        key={**KEY, **facts},
        elapsed_s=400.0,
        item_s=0.1,
        cpu_share=0.01,
        measured=[
            Measured(FAST, 900 * MIB, search=[700.0, 900.0], final=[790.0, 800.0, 810.0]),
            Measured(NEAR, 500 * MIB, search=[600.0, 620.0]),
            Measured(LEAN, 100 * MIB, search=[730.0]),
            Measured(SLOW, 60 * MIB, search=[200.0]),
        ],
        left_out={"threads:1": "Little's law", "gevent:512": "time"},
    )


def test_the_best_candidate_is_judged_by_its_final_laps() -> None:
    assert oracle().best.candidate == FAST
    assert oracle().best_speed == 800.0


def test_laps_before_a_final_on_a_slower_machine_are_converted() -> None:
    slower = replace(
        oracle(),
        measured=[
            Measured(FAST, MIB, search=[800.0], final=[600.0]),
            Measured(NEAR, MIB, search=[790.0]),
        ],
    )
    assert slower.best.candidate == FAST
    assert slower.regret(NEAR) == pytest.approx(0.0125)


def test_regret_is_the_share_of_the_best_speed_that_is_missed() -> None:
    assert oracle().regret(FAST) == 0.0
    assert oracle().regret(SLOW) == pytest.approx(0.75)


def test_memory_is_compared_with_the_leanest_candidate_within_ten_percent_of_the_best() -> None:
    assert oracle().leanest.candidate == LEAN
    assert oracle().memory_ratio(FAST) == pytest.approx(9.0)
    assert oracle().memory_ratio(LEAN) == 1.0


def test_regret_of_a_candidate_that_was_not_measured_is_refused() -> None:
    with pytest.raises(ValueError, match="threads:48 is not part of the oracle of sleeping"):
        oracle().regret(Candidate("threads", 48))


def test_few_rounds_do_not_compare_a_candidate_with_the_best_one() -> None:
    known = oracle().with_measured(Measured(LEAN, MIB, final=[700.0] * 4))
    assert known.has_compared(FAST)
    assert not known.has_compared(LEAN)
    assert not known.has_compared(SLOW)
    assert not known.has_compared(Candidate("threads", 48))
    assert known.with_measured(Measured(LEAN, MIB, final=[700.0] * 5)).has_compared(LEAN)


def test_a_candidate_that_is_measured_later_is_compared_within_rounds() -> None:
    new = Candidate("threads", 48, 2)
    best_laps = [lap(FAST, speed) for speed in (400.0, 200.0, 800.0)]
    new_laps = [lap(new, speed, peak_mib=90) for speed in (360.0, 180.0, 720.0)]
    wider = with_paired(oracle(), new, {FAST: best_laps, new: new_laps})
    measured = wider.of(new)
    assert measured is not None
    assert measured.final == pytest.approx([0.9 * 800] * 3)
    assert wider.regret(new) == pytest.approx(0.1)
    assert wider.leanest.candidate in (new, LEAN)


def test_a_candidate_whose_workers_fail_later_stays_unknown() -> None:
    new = Candidate("gevent", 48)
    assert with_paired(oracle(), new, {FAST: [lap(FAST, 800.0)], new: []}) == oracle()


def test_a_candidate_that_lacked_the_time_is_no_longer_left_out_once_it_is_measured() -> None:
    assert oracle().unfinished == ["gevent:512"]
    late = Measured(Candidate("gevent", 512), MIB, search=[190.0])
    assert oracle().with_measured(late).unfinished == []


def test_a_stored_oracle_is_read_back_unchanged(tmp_path: Path) -> None:
    path = save(oracle(), tmp_path)
    assert path == path_of(tmp_path, "sleeping", KEY)
    assert load(path) == oracle()


@pytest.mark.parametrize("fact", [{"cpu": "another"}, {"cores": 4}, {"files": "changed"}])
def test_an_oracle_of_another_machine_or_of_changed_files_has_another_file(
    tmp_path: Path, fact: dict[str, Any]
) -> None:
    assert path_of(tmp_path, "sleeping", {**KEY, **fact}) != path_of(tmp_path, "sleeping", KEY)
    assert load(path_of(tmp_path, "sleeping", {**KEY, **fact})) is None


@pytest.mark.parametrize("text", ["", "[1]", "{}", '{"format": 1, "measured": []}'])
def test_a_file_that_is_not_an_oracle_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "oracle.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"oracle\.json is not an oracle.*delete it"):
        load(path)


def test_an_oracle_of_another_format_is_measured_again(tmp_path: Path) -> None:
    path = save(oracle(), tmp_path)
    path.write_text(path.read_text().replace('"format": 1', '"format": 0'))
    assert load(path) is None


def test_the_digest_depends_on_names_and_contents() -> None:
    files = [("tasks.py", b"one"), ("items.jsonl", b"two")]
    assert digest(files) == digest(files)
    assert digest([("tasks.py", b"on"), ("items.jsonl", b"etwo")]) != digest(files)
    assert digest([("task.py", b"one"), ("items.jsonl", b"two")]) != digest(files)


@pytest.mark.parametrize(
    ("left_s", "missing", "budget_s"),
    [(7200, 16, 420), (7200, 28, 257), (1000, 1, 420), (-5, 2, 0)],
)
def test_the_time_that_is_left_is_shared_by_the_missing_oracles(
    left_s: float, missing: int, budget_s: float
) -> None:
    assert oracle_budget_s(420.0, left_s, missing) == pytest.approx(budget_s, abs=1)
