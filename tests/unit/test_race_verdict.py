"""Verdicts of made-up races whose right answers are known."""

import shlex
from dataclasses import replace
from typing import Any

import pytest

from poolrace.producer.analysis.race_limit import Limit
from poolrace.producer.analysis.race_summary import summarize
from poolrace.producer.analysis.race_verdict import judge
from poolrace.producer.reports.formats import text
from poolrace.producer.results.candidate import SOLO, Candidate
from tests.unit.made_up_races import (
    GEVENT,
    MIB,
    PREFORK,
    THREADS,
    WAITS,
    base,
    computing_in_python,
    finals,
    lap,
    race,
)


def test_processes_win_where_python_computes() -> None:
    verdict = judge(computing_in_python())
    assert (verdict.fastest.candidate, verdict.distinguishable) == (PREFORK, True)
    assert (verdict.to_json()["cheapest"]["pool"], verdict.limited_by) == ("prefork", "cpu")
    assert verdict.fastest.waiting_share == pytest.approx(0.0)


def test_threads_that_are_as_fast_as_processes_are_cheaper() -> None:
    verdict = judge(
        race(
            [
                *base(),
                *finals(PREFORK, 196.0, peak_memory_bytes=120 * MIB),
                *finals(THREADS, 194.0, peak_memory_bytes=60 * MIB),
            ]
        )
    )
    assert not verdict.distinguishable
    assert verdict.cheapest == verdict.recommended
    assert verdict.recommended.candidate == THREADS
    assert verdict.limited_by == "cpu"


def test_threads_alone_are_limited_by_the_gil() -> None:
    figures_of_one_gil: dict[str, Any] = {"running_total_s": 2.0, "own_cpu_s": 1.0, "cpu_s": 1.0}
    verdict = judge(race([*base(), *finals(THREADS, 99.0, **figures_of_one_gil)]))
    assert verdict.limited_by == "gil"
    assert verdict.fastest.waiting_share == pytest.approx(0.0)
    free = judge(race([*base(), *finals(THREADS, 99.0, **figures_of_one_gil)], gil=False))
    assert free.limited_by == "cpu"


def test_threads_that_wait_for_cores_are_not_limited_by_the_gil() -> None:
    busy: dict[str, Any] = {
        "running_total_s": 2.0,
        "own_cpu_s": 1.0,
        "cpu_s": 1.0,
        "core_wait_s": 1.0,
    }
    verdict = judge(race([*base(), *finals(THREADS, 99.0, **busy)]))
    assert verdict.limited_by == "cpu"


def test_greenlets_win_where_the_task_waits() -> None:
    greenlets: dict[str, Any] = {"own_cpu_s": 0.5, "cpu_s": 0.6}
    verdict = judge(race([*base(**WAITS), *finals(GEVENT, 5000.0, **greenlets)]))
    assert (verdict.limited_by, verdict.blocking) == ("waiting", [])
    assert verdict.fastest.waiting_share > 0.9


def test_greenlets_whose_items_do_not_overlap_are_blocked() -> None:
    blocked: dict[str, Any] = {"running_total_s": 1.0, "own_cpu_s": 0.01, "cpu_s": 0.05}
    threads = Candidate("threads", 32)
    laps = [
        *base(**WAITS),
        lap(GEVENT, "search", 1, items_per_s=95.0, **blocked),
        *finals(threads, 3000.0, own_cpu_s=0.5, cpu_s=0.6),
    ]
    verdict = judge(race(laps))
    assert (verdict.fastest.candidate, verdict.limited_by) == (threads, "blocking")
    assert [summary.candidate for summary in verdict.blocking] == [GEVENT]
    assert "gevent cannot patch" in text.render(race(laps))


def test_greenlets_on_a_busy_machine_are_not_taken_for_blocked_ones() -> None:
    slow: dict[str, Any] = {"running_total_s": 8.0, "own_cpu_s": 0.3, "cpu_s": 0.4}
    threads = finals(Candidate("threads", 32), 500.0, own_cpu_s=0.5, cpu_s=0.6)
    raced = race([*base(**WAITS), *finals(GEVENT, 200.0, **slow), *threads])
    assert judge(raced).limited_by == "blocking"
    assert judge(replace(raced, cores_left=0.5)).limited_by == "waiting"


def test_computing_greenlets_are_not_taken_for_blocked_ones() -> None:
    computing: dict[str, Any] = {"running_total_s": 1.0, "own_cpu_s": 1.0, "cpu_s": 1.0}
    verdict = judge(race([*base(), *finals(GEVENT, 98.0, **computing)]))
    assert (verdict.limited_by, verdict.blocking) == ("gil", [])


def test_a_task_that_does_nothing_is_limited_by_messages() -> None:
    nothing: dict[str, Any] = {"running_total_s": 0.1, "own_cpu_s": 0.09}
    verdict = judge(race([*base(**nothing), *finals(THREADS, 1500.0, **nothing)]))
    assert verdict.limited_by == "broker"


def test_the_limits_of_memory_and_of_failures_are_named() -> None:
    full = race([*base(**WAITS), *finals(PREFORK, 190.0, **WAITS)], ended={"prefork": "memory"})
    assert judge(full).limited_by == "memory"
    failing = race([*base(**WAITS), *finals(PREFORK, 190.0, failures={"ValueError": 90})])
    assert judge(failing).limited_by == "failures"
    assert "ValueError (450)" in text.render(failing)


def test_too_few_rounds_distinguish_nothing() -> None:
    verdict = judge(race([*base(), *finals(PREFORK, 190.0, 2), *finals(THREADS, 99.0, 2)]))
    assert not verdict.distinguishable


def test_the_report_says_that_the_machine_was_busy() -> None:
    busy = race([*base(), *finals(PREFORK, 190.0)], cores_left=0.5)
    assert "The machine was busy: other processes left 0.5 of 2 cores free" in text.render(busy)
    assert "The machine was busy" not in text.render(race([*base(), *finals(PREFORK, 190.0)]))


def test_on_a_busy_machine_the_best_number_of_slots_is_not_known() -> None:
    laps = [*base(), *finals(Candidate("prefork", 32), 300.0), *finals(THREADS, 120.0)]
    busy = race([*laps, *finals(Candidate("prefork", 16), 200.0)], cores_left=0.5)
    verdict = judge(busy)
    assert (verdict.distinguishable, verdict.pool_is_clear) == (False, True)
    assert judge(replace(busy, cores_left=2.0)).distinguishable


def test_on_a_busy_machine_a_second_worker_is_not_taken_for_more_slots() -> None:
    one, two = Candidate("threads", 32), Candidate("threads", 32, workers=2)
    waits: dict[str, Any] = {"own_cpu_s": 0.01, "running_total_s": 32.0}
    laps = [
        *finals(two, 420.0, cpu_s=1.0, main_cpu_s=1.0, items=420, **waits),
        *finals(one, 400.0, cpu_s=1.0, main_cpu_s=1.0, items=400, **waits),
    ]
    busy = judge(race([*base(**WAITS, items=10, items_per_s=10.0), *laps], cores_left=0.9))
    assert busy.recommended.candidate == two


def test_a_candidate_that_was_left_out_might_have_been_faster() -> None:
    raced = race([*base(), *finals(PREFORK, 190.0)], left_out={"threads:2": "time"})
    assert not judge(raced).distinguishable
    assert "threads:2 was left out, because the time budget was used up" in text.render(raced)


def test_a_finalist_that_dropped_out_is_slower() -> None:
    verdict = judge(race([*base(), *finals(PREFORK, 190.0, 8), *finals(THREADS, 160.0, 4)]))
    assert (verdict.fastest.candidate, verdict.distinguishable) == (PREFORK, True)


def test_the_tied_candidate_with_the_least_memory_then_the_fewest_slots_is_recommended() -> None:
    many, few = Candidate("threads", 64), Candidate("threads", 32)
    figures = {"peak_memory_bytes": 60 * MIB, **WAITS}
    light = [*finals(many, 625.0, **figures), *finals(few, 622.0, **figures)]
    heavy = finals(Candidate("prefork", 32), 630.0, peak_memory_bytes=900 * MIB)
    verdict = judge(race([*base(**WAITS), *light, *heavy]))
    assert verdict.fastest.candidate.pool == "prefork"
    assert (verdict.recommended.candidate, verdict.distinguishable) == (few, False)
    assert {summary.candidate for summary in verdict.tied} == {many, few}
    assert "threads:32 is recommended" in text.render(verdict.race)


@pytest.mark.parametrize(("mib", "expected"), [(45, THREADS), (85, PREFORK)])
def test_8_percent_of_speed_are_given_up_for_far_less_memory_only(
    mib: int, expected: Candidate
) -> None:
    heavy = finals(PREFORK, 100.0, peak_memory_bytes=100 * MIB)
    lean = finals(THREADS, 92.0, peak_memory_bytes=mib * MIB)
    assert judge(race([*base(), *heavy, *lean])).recommended.candidate == expected


def test_far_less_memory_does_not_make_up_for_20_percent_of_speed() -> None:
    heavy = finals(PREFORK, 100.0, peak_memory_bytes=500 * MIB)
    lean = finals(THREADS, 80.0, peak_memory_bytes=50 * MIB)
    assert judge(race([*base(), *heavy, *lean])).recommended.candidate == PREFORK


def test_on_a_busy_machine_a_cpu_bound_task_gets_the_fastest_candidate() -> None:
    raced = race([*base(), *finals(PREFORK, 73.0, peak_memory_bytes=88 * MIB), *finals(SOLO, 70.0)])
    assert judge(raced).recommended.candidate == SOLO
    assert judge(replace(raced, cores_left=0.5)).recommended.candidate == PREFORK


def test_the_pool_may_be_clear_where_the_concurrency_is_not() -> None:
    laps = [*base(**WAITS), *finals(Candidate("prefork", 16), 310.0), *finals(THREADS, 200.0)]
    alike = race([*laps, *finals(Candidate("prefork", 8), 300.0)])
    verdict = judge(alike)
    assert (verdict.distinguishable, verdict.pool_is_clear) == (False, True)
    assert [summary.candidate.concurrency for summary in verdict.tied] == [8]
    assert "prefork is the fastest pool" in text.render(alike)
    assert not judge(race([*laps, *finals(GEVENT, 305.0)])).pool_is_clear


def test_the_worker_command_has_the_options_of_the_recommended_candidate() -> None:
    several = Candidate("threads", 8, workers=2, prefetch=1)
    one = judge(race([*base(), *finals(PREFORK, 190.0)], queue="images"))
    assert shlex.split(one.worker_command) == [
        "celery", "-A", "proj.celery", "worker", "--pool", "prefork", "--concurrency", "2",
        "--queues", "images", "--loglevel", "INFO",
    ]  # fmt: skip
    assert one.settings == {"worker_concurrency": 2, "worker_pool": "prefork"}
    two = judge(race([*base(), *finals(several, 190.0)]))
    assert two.worker_command.startswith("seq 2 | xargs -P 2 -I {} celery -A proj.celery worker")
    assert "--prefetch-multiplier 1" in two.worker_command
    assert two.worker_command.endswith("--hostname 'worker{}@%h'")
    assert two.settings["worker_prefetch_multiplier"] == 1


def test_json_has_the_promised_keys() -> None:
    verdict = judge(computing_in_python()).to_json()
    assert verdict.keys() >= {
        "candidates", "fastest", "cheapest", "distinguishable", "limited_by", "worker_command",
        "executions",
    }  # fmt: skip
    for candidate in verdict["candidates"]:
        assert candidate.keys() >= {
            "pool", "concurrency", "items_per_s", "ci95", "failures", "cpu_s_per_item",
            "peak_memory_bytes", "waiting_share",
        }  # fmt: skip
    assert verdict["limited_by"] in Limit.__args__  # type: ignore[attr-defined] # a Literal has it


def test_the_gil_does_not_limit_where_processes_are_as_fast() -> None:
    raced = race([*base(), *finals(PREFORK, 100.0), *finals(THREADS, 101.0, cpu_s=1.0)])
    assert judge(raced).fastest.candidate == THREADS
    assert judge(raced).limited_by == "cpu"
    alone = race([*base(), *finals(PREFORK, 50.0), *finals(THREADS, 101.0, cpu_s=1.0)])
    assert judge(alone).limited_by == "gil"


def test_a_candidate_above_the_memory_limit_is_not_the_fastest() -> None:
    large = [
        lap(Candidate("prefork", 64), "search", 1, items_per_s=6000.0, peak_memory_bytes=2**33)
    ]
    raced = race([*base(), *large, *finals(PREFORK, 200.0)], max_memory_bytes=2**30)
    assert judge(raced).fastest.candidate == PREFORK
    assert "needs more memory than --max-memory allows" in text.render(raced)


def test_the_table_is_sorted_by_speed() -> None:
    raced = replace(computing_in_python(), cores=8)
    assert [summary.candidate for summary in summarize(raced)] == [PREFORK, SOLO, THREADS]


def test_base_laps_are_not_compared_with_laps_beside_other_workers() -> None:
    """Solo was faster alone in the base, and slower in the only round of the finals."""
    finals_of_both = [
        lap(SOLO, "final", 1, items_per_s=2.3),
        lap(THREADS, "final", 1, items_per_s=2.7),
    ]
    verdict = judge(race([*base(items_per_s=6.4), *finals_of_both]))
    assert [row.items_per_s for row in verdict.summaries] == [2.7, 2.3]
    assert verdict.fastest.candidate == THREADS
