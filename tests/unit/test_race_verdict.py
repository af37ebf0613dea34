"""Verdicts on races whose right answers are known."""

import random
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from poolrace.producer.analysis.race_summary import standings
from poolrace.producer.analysis.race_verdict import Limit, Verdict
from poolrace.producer.reports.formats import FORMATS, csv, text
from poolrace.producer.results.candidate import SOLO, Candidate
from poolrace.producer.results.files import load, save
from poolrace.producer.results.race import Lap, Race
from poolrace.workers.errors import UsageError

MIB = 2**20


def lap(candidate: Candidate, kind: str, number: int, **figures: Any) -> Lap:
    """A lap of an item that takes 10 ms in each slot, unless ``figures`` say otherwise."""
    slots = candidate.slots
    fields: dict[str, Any] = {
        "items": 100 * slots,
        "failures": {},
        "items_per_s": 100.0 * slots,
        "wall_s": 1.0,
        "waiting_s": [0.01, 0.02, 0.03],
        "running_s": [0.01, 0.011, 0.012],
        "running_total_s": 1.0 * slots,
        "own_cpu_s": 1.0 * slots,
        "core_wait_s": 0.0,
        "cpu_s": 1.0 * slots,
        "peak_memory_bytes": 50 * MIB,
        "voluntary_switches": 100,
        "involuntary_switches": 10,
    }
    return Lap(candidate, kind, number, **{**fields, **figures})  # type: ignore[arg-type] # a kind


def race(laps: list[Lap], **fields: Any) -> Race:
    finalists = list(dict.fromkeys(it.candidate for it in laps if it.kind == "final"))
    given: dict[str, Any] = {
        "made_at": "2026-01-01T00:00:00+00:00",
        "app": "proj.celery",
        "task": "proj.tasks.work",
        "items": 4,
        "command": ["celery", "-A", "proj.celery"],
        "queue": None,
        "cores": 2,
        "cores_left": 1.9,
        "gil": True,
        "max_memory_bytes": 2**33,
        "executions": sum(it.executions for it in laps),
        "ended": {},
        "left_out": {},
        "finalists": finalists,
        "environment": {"hosts": [], "versions": {"celery": "5.7.0"}},
    }
    return Race(**{**given, **fields}, laps=tuple(laps))


COMPUTES: dict[str, Any] = {}
WAITS: dict[str, Any] = {"own_cpu_s": 0.01, "cpu_s": 0.02}
PREFORK, THREADS, GEVENT = Candidate("prefork", 2), Candidate("threads", 2), Candidate("gevent", 64)


def finals(candidate: Candidate, speed: float, rounds: int = 5, **figures: Any) -> list[Lap]:
    draw = random.Random(str(candidate))
    return [
        lap(candidate, "final", n, items_per_s=speed * draw.uniform(0.99, 1.01), **figures)
        for n in range(1, rounds + 1)
    ]


def base(**figures: Any) -> list[Lap]:
    return [lap(SOLO, "base", n, **figures) for n in (1, 2)]


def computing_in_python() -> Race:
    one_thread: dict[str, Any] = {"running_total_s": 2.0, "own_cpu_s": 1.0, "cpu_s": 1.0}
    return race(
        [
            *base(),
            lap(THREADS, "search", 1, items_per_s=98.0, **one_thread),
            *finals(PREFORK, 195.0),
            *finals(SOLO, 100.0),
        ]
    )


def test_processes_win_where_python_computes() -> None:
    found = Verdict.of(computing_in_python())
    assert (found.fastest.candidate, found.distinguishable) == (PREFORK, True)
    assert (found.cheapest.candidate, found.limited_by) == (PREFORK, "cpu")
    assert found.fastest.waiting_share == pytest.approx(0.0)


def test_threads_that_keep_up_are_cheaper() -> None:
    found = Verdict.of(
        race(
            [
                *base(),
                *finals(PREFORK, 196.0, peak_memory_bytes=120 * MIB),
                *finals(THREADS, 194.0, peak_memory_bytes=60 * MIB),
            ]
        )
    )
    assert not found.distinguishable
    assert found.cheapest.candidate == found.recommended.candidate == THREADS
    assert found.limited_by == "cpu"


def test_threads_alone_are_limited_by_the_gil() -> None:
    held: dict[str, Any] = {"running_total_s": 2.0, "own_cpu_s": 1.0, "cpu_s": 1.0}
    found = Verdict.of(race([*base(), *finals(THREADS, 99.0, **held)]))
    assert found.limited_by == "gil"
    assert found.fastest.waiting_share == pytest.approx(0.0)
    free = Verdict.of(race([*base(), *finals(THREADS, 99.0, **held)], gil=False))
    assert free.limited_by == "cpu"


def test_threads_that_share_cores_with_others_are_not_held_by_the_gil() -> None:
    crowded: dict[str, Any] = {
        "running_total_s": 2.0,
        "own_cpu_s": 1.0,
        "cpu_s": 1.0,
        "core_wait_s": 1.0,
    }
    found = Verdict.of(race([*base(), *finals(THREADS, 99.0, **crowded)]))
    assert found.limited_by == "cpu"


def test_greenlets_win_where_the_task_waits() -> None:
    greenlets: dict[str, Any] = {"own_cpu_s": 0.5, "cpu_s": 0.6}
    found = Verdict.of(race([*base(**WAITS), *finals(GEVENT, 5000.0, **greenlets)]))
    assert (found.limited_by, found.blocking) == ("waiting", [])
    assert found.fastest.waiting_share > 0.9


def test_greenlets_that_do_not_overlap_are_blocked() -> None:
    blocked: dict[str, Any] = {"running_total_s": 1.0, "own_cpu_s": 0.01, "cpu_s": 0.05}
    threads = Candidate("threads", 32)
    laps = [
        *base(**WAITS),
        lap(GEVENT, "search", 1, items_per_s=95.0, **blocked),
        *finals(threads, 3000.0, own_cpu_s=0.5, cpu_s=0.6),
    ]
    found = Verdict.of(race(laps))
    assert (found.fastest.candidate, found.limited_by) == (threads, "blocking")
    assert [it.candidate for it in found.blocking] == [GEVENT]
    assert "gevent cannot patch" in text.render(race(laps))


def test_greenlets_that_others_keep_from_their_core_are_not_taken_for_blocked_ones() -> None:
    slow: dict[str, Any] = {"running_total_s": 8.0, "own_cpu_s": 0.3, "cpu_s": 0.4}
    threads = finals(Candidate("threads", 32), 500.0, own_cpu_s=0.5, cpu_s=0.6)
    found = race([*base(**WAITS), *finals(GEVENT, 200.0, **slow), *threads])
    assert Verdict.of(found).limited_by == "blocking"
    assert Verdict.of(replace(found, cores_left=0.5)).limited_by == "waiting"


def test_computing_greenlets_are_not_taken_for_blocked_ones() -> None:
    computing: dict[str, Any] = {"running_total_s": 1.0, "own_cpu_s": 1.0, "cpu_s": 1.0}
    found = Verdict.of(race([*base(), *finals(GEVENT, 98.0, **computing)]))
    assert (found.limited_by, found.blocking) == ("gil", [])


def test_a_task_that_does_nothing_is_limited_by_messages() -> None:
    nothing: dict[str, Any] = {"running_total_s": 0.1, "own_cpu_s": 0.09}
    found = Verdict.of(race([*base(**nothing), *finals(THREADS, 1500.0, **nothing)]))
    assert found.limited_by == "broker"


def test_the_limits_of_memory_and_of_failures_are_named() -> None:
    full = race([*base(**WAITS), *finals(PREFORK, 190.0)], ended={"prefork": "memory"})
    assert Verdict.of(full).limited_by == "memory"
    failing = race([*base(**WAITS), *finals(PREFORK, 190.0, failures={"ValueError": 90})])
    assert Verdict.of(failing).limited_by == "failures"
    assert "ValueError (450)" in text.render(failing)


def test_too_few_rounds_distinguish_nothing() -> None:
    found = Verdict.of(race([*base(), *finals(PREFORK, 190.0, 2), *finals(THREADS, 99.0, 2)]))
    assert not found.distinguishable


def test_a_busy_machine_is_named() -> None:
    crowded = race([*base(), *finals(PREFORK, 190.0)], cores_left=0.5)
    assert "Others leave 0.5 of 2 cores" in text.render(crowded)
    assert "Others leave" not in text.render(race([*base(), *finals(PREFORK, 190.0)]))


def test_on_a_busy_machine_it_is_not_known_how_many_slots_suit() -> None:
    laps = [*base(), *finals(Candidate("prefork", 32), 300.0), *finals(THREADS, 120.0)]
    crowded = race([*laps, *finals(Candidate("prefork", 16), 200.0)], cores_left=0.5)
    found = Verdict.of(crowded)
    assert (found.distinguishable, found.pool_is_clear) == (False, True)
    assert Verdict.of(replace(crowded, cores_left=2.0)).distinguishable


def test_who_is_missing_might_have_been_faster() -> None:
    found = race([*base(), *finals(PREFORK, 190.0)], left_out={"threads:2": "time"})
    assert not Verdict.of(found).distinguishable
    assert "threads:2 is out: the time was over" in text.render(found)


def test_a_finalist_that_dropped_out_is_slower() -> None:
    found = Verdict.of(race([*base(), *finals(PREFORK, 190.0, 8), *finals(THREADS, 160.0, 4)]))
    assert (found.fastest.candidate, found.distinguishable) == (PREFORK, True)


def test_of_those_that_are_alike_the_lightest_with_the_fewest_slots_is_to_be_run() -> None:
    many, few = Candidate("threads", 64), Candidate("threads", 32)
    figures = {"peak_memory_bytes": 60 * MIB, **WAITS}
    light = [*finals(many, 620.0, **figures), *finals(few, 600.0, **figures)]
    heavy = finals(Candidate("prefork", 32), 630.0, peak_memory_bytes=900 * MIB)
    found = Verdict.of(race([*base(**WAITS), *light, *heavy]))
    assert found.fastest.candidate.pool == "prefork"
    assert (found.recommended.candidate, found.distinguishable) == (few, False)
    assert {it.candidate for it in found.alike} == {many, few}
    assert "threads:32 is the one to run" in text.render(found.race)


def test_beside_others_one_slot_that_seems_to_do_is_not_recommended() -> None:
    found = race([*base(), *finals(PREFORK, 73.0, peak_memory_bytes=88 * MIB), *finals(SOLO, 70.0)])
    assert Verdict.of(found).recommended.candidate == SOLO
    assert Verdict.of(replace(found, cores_left=0.5)).recommended.candidate == PREFORK


def test_the_pool_may_be_clear_where_the_concurrency_is_not() -> None:
    laps = [*base(**WAITS), *finals(Candidate("prefork", 16), 310.0), *finals(THREADS, 200.0)]
    alike = race([*laps, *finals(Candidate("prefork", 8), 300.0)])
    found = Verdict.of(alike)
    assert (found.distinguishable, found.pool_is_clear) == (False, True)
    assert [it.candidate.concurrency for it in found.alike] == [8]
    assert "prefork is the fastest pool" in text.render(alike)
    assert not Verdict.of(race([*laps, *finals(GEVENT, 305.0)])).pool_is_clear


def test_the_command_names_what_a_worker_needs() -> None:
    several = Candidate("threads", 8, workers=2, prefetch=1)
    one = Verdict.of(race([*base(), *finals(PREFORK, 190.0)], queue="images"))
    assert shlex.split(one.worker_command) == [
        "celery", "-A", "proj.celery", "worker", "--pool", "prefork", "--concurrency", "2",
        "--queues", "images", "--loglevel", "INFO",
    ]  # fmt: skip
    assert one.settings == {"worker_concurrency": 2, "worker_pool": "prefork"}
    two = Verdict.of(race([*base(), *finals(several, 190.0)]))
    assert two.worker_command.count("--prefetch-multiplier 1") == 2
    assert "worker1@%h" in two.worker_command
    assert two.settings["worker_prefetch_multiplier"] == 1


def test_json_has_the_promised_keys() -> None:
    told = Verdict.of(computing_in_python()).to_json()
    assert told.keys() >= {
        "candidates", "fastest", "cheapest", "distinguishable", "limited_by", "worker_command",
        "executions",
    }  # fmt: skip
    for candidate in told["candidates"]:
        assert candidate.keys() >= {
            "pool", "concurrency", "items_per_s", "ci95", "failures", "cpu_s_per_item",
            "peak_memory_bytes", "waiting_share",
        }  # fmt: skip
    assert told["limited_by"] in Limit.__args__  # type: ignore[attr-defined] # a Literal has it


def test_where_processes_are_as_fast_the_gil_does_not_limit() -> None:
    found = race([*base(), *finals(PREFORK, 100.0), *finals(THREADS, 101.0, cpu_s=1.0)])
    assert Verdict.of(found).fastest.candidate == THREADS
    assert Verdict.of(found).limited_by == "cpu"
    alone = race([*base(), *finals(PREFORK, 50.0), *finals(THREADS, 101.0, cpu_s=1.0)])
    assert Verdict.of(alone).limited_by == "gil"


def test_who_takes_more_memory_than_allowed_is_no_answer() -> None:
    large = [
        lap(Candidate("prefork", 64), "search", 1, items_per_s=6000.0, peak_memory_bytes=2**33)
    ]
    found = race([*base(), *large, *finals(PREFORK, 200.0)], max_memory_bytes=2**30)
    assert Verdict.of(found).fastest.candidate == PREFORK
    assert "with more memory than --max-memory allows" in text.render(found)


def test_a_race_is_stored_and_rendered_like_a_comparison(tmp_path: Path) -> None:
    found = computing_in_python()
    save(found, tmp_path / "r.json")
    read = load(tmp_path / "r.json")
    assert read == found
    for render in FORMATS.values():
        assert render(read) == render(found)
    assert "prefork" in text.render(found)


def test_a_file_that_is_no_race_is_refused(tmp_path: Path) -> None:
    save(computing_in_python(), tmp_path / "r.json")
    whole = (tmp_path / "r.json").read_text()
    (tmp_path / "r.json").write_text(whole.replace('"wall_s": 1.0', '"wall_s": "long"', 1))
    with pytest.raises(UsageError, match="is not a race"):
        load(tmp_path / "r.json")


def test_laps_are_raw_and_lines_of_csv() -> None:
    found = computing_in_python()
    assert len(csv.render(found).splitlines()) == 1 + len(found.laps)


def test_the_table_is_sorted_by_speed() -> None:
    found = replace(computing_in_python(), cores=8)
    assert [it.candidate for it in standings(found)] == [PREFORK, SOLO, THREADS]
