"""Sentences about the task, its service and its settings, from made-up races."""

from dataclasses import replace
from typing import Any

import pytest

from poolrace.producer.analysis.race_verdict import judge
from poolrace.producer.reports.formats import text
from poolrace.producer.reports.views.race_cases import findings
from poolrace.producer.reports.views.race_hints import items_per_s
from poolrace.producer.results.candidate import SOLO, Candidate
from poolrace.producer.results.race import Lap, Race, TaskSettings
from tests.unit.made_up_races import GEVENT, MIB, PREFORK, THREADS, WAITS, base, finals, lap, race


def growing(candidate: Candidate, speed: float, *sizes_mib: int, **figures: Any) -> list[Lap]:
    return [
        lap(candidate, "final", number, items_per_s=speed, peak_memory_bytes=size * MIB, **figures)
        for number, size in enumerate(sizes_mib, start=1)
    ]


def test_a_pool_whose_memory_grows_with_every_item_is_neither_cheap_nor_recommended() -> None:
    recycled = Candidate("prefork", 2, max_tasks=50)
    leaks = growing(THREADS, 95.0, 100, 200, 300, 400, items=100)
    raced = race([*base(), *leaks, *growing(recycled, 80.0, 120, 180, 160, 170, items=100)])
    verdict = judge(raced)
    assert (verdict.fastest.candidate, verdict.cheapest) == (THREADS, None)
    assert verdict.recommended.candidate == recycled
    report = text.render(raced)
    assert "the memory of threads:2 grew by 1 MiB with each item" in report
    assert "prefork:2, max tasks 50 is recommended instead" in report
    assert "least memory" not in report


@pytest.mark.parametrize("sizes", [(100, 101, 102, 102), (100, 190, 200, 201), (100, 160, 120)])
def test_memory_that_workers_fill_once_or_give_back_does_not_grow(sizes: tuple[int, ...]) -> None:
    assert judge(race([*base(), *growing(THREADS, 95.0, *sizes)])).growing == {}


def speeds(*candidates: tuple[Candidate, float, float], cores_used: float = 0.2) -> Race:
    """A race with the speed and the median running time of each candidate."""
    laps = [
        one
        for candidate, speed, running_s in candidates
        for one in finals(
            candidate, speed, running_s=[running_s] * 3, cpu_s=cores_used, own_cpu_s=0.01
        )
    ]
    return race([*base(items_per_s=10.0, **WAITS), *laps])


def test_a_service_that_is_saturated_is_named_as_the_limit() -> None:
    few, many = Candidate("threads", 8), Candidate("threads", 16)
    level = speeds((few, 80.0, 0.1), (many, 81.0, 0.2))
    report = text.render(level)
    assert judge(level).recommended.candidate == few
    assert "stays at about" in report
    assert "from 8 slots on" in report
    assert "more at a time" not in report
    assert "fewer slots" not in report


@pytest.mark.parametrize(
    "raced",
    [
        speeds((Candidate("threads", 8), 80.0, 0.1), (Candidate("threads", 16), 160.0, 0.1)),
        speeds((THREADS, 80.0, 0.1), (Candidate("threads", 8), 81.0, 0.4), cores_used=0.9),
        speeds((THREADS, 80.0, 0.1), (Candidate("threads", 8), 81.0, 0.4), (PREFORK, 200.0, 0.1)),
    ],
    ids=["more slots help", "the worker is out of CPU", "another pool is faster"],
)
def test_a_service_that_still_answers_faster_is_not_called_saturated(raced: Race) -> None:
    assert judge(raced).saturation is None


def test_late_acknowledgement_that_starves_gevent_is_named_instead_of_a_blocking_call() -> None:
    one_at_a_time: dict[str, Any] = {"running_total_s": 1.0, **WAITS}
    laps = [*base(**WAITS), *finals(GEVENT, 12.0, **one_at_a_time), *finals(THREADS, 40.0, **WAITS)]
    late = race(laps, settings=TaskSettings(acks_late=True, prefetch=1))
    assert "Set worker_prefetch_multiplier = 2" in text.render(late)
    assert "cannot patch" not in text.render(late)
    assert judge(late).limited_by == "waiting"
    assert (
        judge(race(laps, settings=TaskSettings(acks_late=True, prefetch=4))).limited_by
        == "blocking"
    )


def test_a_memory_limit_that_no_candidate_keeps_gets_a_warning() -> None:
    fits = race([*base(), *finals(PREFORK, 195.0), *finals(THREADS, 100.0)])
    words = "Warning: no candidate fits into --max-memory: prefork:2 needs 50 MiB."
    assert words not in findings(judge(fits))
    assert words in findings(judge(replace(fits, max_memory_bytes=1024)))


def test_a_task_that_computes_on_several_cores_by_itself_gets_a_hint() -> None:
    def using(cores: float) -> str:
        return text.render(race([*base(items=20, cpu_s=cores), *finals(PREFORK, 9.0)]))

    assert "One item computes on 1.9 cores by itself" in using(1.9)
    assert "OPENBLAS_NUM_THREADS=1" in using(1.9)
    assert "OPENBLAS" not in using(1.1)


def test_a_rate_limit_is_named_where_it_decides() -> None:
    def limited(rate_limit: str | None) -> str:
        laps = [*base(), *finals(PREFORK, 190.0)]
        return text.render(race(laps, settings=TaskSettings(rate_limit=rate_limit)))

    assert "rate limit of 60/m, that is 1 items/s for each worker" in limited("60/m")
    assert "rate limit" not in limited("1000/s")
    assert "rate limit" not in limited(None)
    assert [items_per_s(limit) for limit in ("10", "10/s", "60/m", "7200/h")] == [10, 10, 1, 2]


def test_a_setting_that_overrides_the_recommended_pool_is_to_be_changed() -> None:
    laps = [*base(), *finals(PREFORK, 190.0), *finals(THREADS, 90.0)]
    assert "The app sets worker_pool = 'threads'" in text.render(
        race(laps, settings=TaskSettings(worker_pool="threads"))
    )
    assert "The app sets" not in text.render(
        race(laps, settings=TaskSettings(worker_pool="prefork"))
    )


def test_tasks_that_were_sent_and_not_run_are_named() -> None:
    raced = race([*base(), *finals(PREFORK, 190.0)], sent=["proj.sub"])
    assert "sent other tasks (proj.sub), which the race did not run" in text.render(raced)


def test_settings_that_the_race_overrode_and_retries_that_it_did_not_make_are_named() -> None:
    def report(**fields: Any) -> str:
        return text.render(race([*base(), *finals(PREFORK, 190.0)], **fields))

    eager = report(settings=TaskSettings(eager=True))
    assert "task_always_eager = True: tasks run where they are called" in eager
    assert "asked for retries, which the race did not make" in report(retried=True)
    assert "eager" not in report()
    assert "retries" not in report()


def test_what_celery_does_in_some_pools_only_is_said_for_the_other_ones() -> None:
    settings = TaskSettings(soft_time_limit_s=0.5, process_init=["proj.connect"])

    def report(settings: TaskSettings, *candidates: Candidate) -> str:
        laps = [lap for candidate in candidates for lap in finals(candidate, 90.0)]
        return text.render(race([*base(), *laps], settings=settings))

    said = report(settings, PREFORK, THREADS, GEVENT)
    assert "soft time limit of 0.5 s" in said
    assert "it had no effect under gevent, solo, threads" in said
    assert "connects proj.connect to the signal worker_process_init" in said
    assert "it was not called under gevent, threads" in said
    assert "worker_process_init" not in report(settings, PREFORK)
    assert "soft time limit" not in report(TaskSettings(), PREFORK, THREADS)


def test_what_a_worker_of_solo_cannot_do_is_said_where_it_is_recommended() -> None:
    by_solo = "\n".join(
        findings(judge(race([*base(), *finals(SOLO, 100.0), *finals(THREADS, 60.0)])))
    )
    by_prefork = "\n".join(findings(judge(race([*base(), *finals(PREFORK, 200.0)]))))
    assert "it answers neither ping nor revoke" in by_solo
    assert "ping" not in by_prefork


def test_the_option_that_ends_hanging_items_is_named_if_items_hung() -> None:
    hung = finals(PREFORK, 90.0, failures={"billiard.exceptions.TimeLimitExceeded": 1})
    assert "has --time-limit" in text.render(race([*base(), *hung]))
    assert "--time-limit" not in text.render(race([*base(), *finals(PREFORK, 90.0)]))


def test_a_pool_in_which_the_task_does_not_work_is_not_called_blocked_and_its_error_is_shown() -> (
    None
):
    fails: dict[str, Any] = {"items": 5, "failures": {"RuntimeError": 95}, **WAITS}
    laps = [*base(**WAITS), *finals(GEVENT, 12.0, running_total_s=1.0, **fails)]
    laps += [*finals(THREADS, 40.0, **WAITS), *finals(PREFORK, 0.0, **{**fails, "items": 0})]
    words = "gevent:64 failed: RuntimeError: no event loop"
    verdict = judge(raced := race(laps, failures={"gevent:64": words}))
    assert (verdict.limited_by, verdict.blocking) == ("waiting", [])
    report = text.render(raced)
    assert "95.0% of the items failed under gevent:64: RuntimeError (475)." in report
    assert "100.0% of the items failed under prefork:2" in report
    assert f"{words}." in report
    nothing_works = race([*base(**WAITS), *finals(PREFORK, 0.0, **fails), *finals(THREADS, 40.0)])
    assert " times as fast" not in text.render(nothing_works)


def test_the_time_in_which_a_process_that_hung_is_replaced_is_not_that_of_messages() -> None:
    hung = {"billiard.exceptions.TimeLimitExceeded": 1}
    figures: dict[str, Any] = {"items": 19, "wall_s": 7.0, "running_total_s": 1.4, **WAITS}
    laps = [*base(failures=hung, **figures), *finals(THREADS, 40.0, **WAITS)]
    assert judge(race(laps)).limited_by == "waiting"
