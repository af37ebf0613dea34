"""Races that end before they have compared everything, and what they still say."""

import itertools
import random
from collections import deque
from collections.abc import Generator
from dataclasses import replace
from typing import Any

import pytest

from poolrace.producer.analysis.race_summary import laps_of
from poolrace.producer.analysis.race_verdict import judge
from poolrace.producer.errors import JobFailed
from poolrace.producer.race.no_verdict import NOT_RUN, base_error
from poolrace.producer.race.race import execute
from poolrace.producer.race.requests import Answer, GivenUp, Measure, Progress, Start
from poolrace.producer.race.strategy import Decision, strategy
from poolrace.producer.reports.formats import text
from poolrace.producer.results.candidate import SOLO, Candidate
from poolrace.producer.results.race import Race, Reason
from poolrace.workers.errors import ClusterError
from tests.unit.made_up_machines import OPTIONS, Machine, Task, run_race
from tests.unit.made_up_races import GEVENT, PREFORK, THREADS, base, finals, lap, race

COMPUTES = Task(0.02)


def machine(**behaviour: Any) -> Machine:
    return Machine(COMPUTES, random.Random(0), **behaviour)


def test_a_race_that_measured_only_the_base_names_nothing_best() -> None:
    raced = run_race(machine(gives_up_at=2), budget_s=10.0)
    verdict = judge(raced).to_json()
    assert (verdict["complete"], verdict["distinguishable"]) == (False, False)
    best = {verdict[key] for key in ("fastest", "cheapest", "recommended", "worker_command")}
    assert best == {None}
    never = dict.fromkeys(("prefork", "threads", "gevent"), "time")
    assert verdict["gaps"]["never_measured"] == never
    report = text.render(raced)
    assert "Incomplete: prefork was not measured, because the time budget was used up" in report
    assert "--budget-s 70" in report
    for words in ("is the fastest", "Run:", "distinguishable"):
        assert words not in report


def test_rounds_of_one_candidate_compare_nothing() -> None:
    never: dict[str, Reason] = {"prefork": "time", "threads": "time"}
    alone = race([*base(), *finals(SOLO, 9.7, 3)], ended=never, budget_s=10.0)
    verdict, report = judge(alone), text.render(alone)
    assert (verdict.complete, verdict.distinguishable, verdict.gaps.rounds) == (False, False, 0)
    assert "no two candidates ran in the same round" in report
    assert "Nothing is recommended" in report
    assert "--budget-s 50" in report
    for words in ("is the fastest", "Run:", "distinguishable", "at least 3 rounds"):
        assert words not in report


def test_a_race_given_up_before_an_item_finished_says_which_budget_it_had() -> None:
    with pytest.raises(JobFailed, match="did not finish an item within the budget of 15 s"):
        run_race(machine(gives_up_at=0), budget_s=15.0)


def test_a_race_whose_workers_were_not_ready_in_time_says_so_and_blames_no_item() -> None:
    steps = strategy(OPTIONS, ["prefork"], [], cores=2)
    next(steps)
    with pytest.raises(JobFailed) as caught:
        steps.throw(GivenUp(ready=False))
    budget = "no worker of the app was ready within the budget of 120 s; raise --budget-s"
    assert str(caught.value) == budget


def test_an_interrupted_race_keeps_its_verdict_with_a_reservation() -> None:
    pools = ["prefork:2", "solo"]
    whole = run_race(machine(), pools)
    interrupted = machine(gives_up_at=len(whole.laps) - 1, interruption="interrupted")
    raced = run_race(interrupted, pools)
    verdict = judge(raced).to_json()
    assert (verdict["complete"], verdict["recommended"]["pool"]) == (False, "prefork")
    assert "Incomplete: the race was interrupted" in text.render(raced)


def test_the_base_is_measured_in_the_next_pool_if_solo_does_not_start() -> None:
    raced = run_race(machine(unable=[SOLO]))
    assert {lap.candidate for lap in raced.base} == {Candidate("prefork", 1)}
    assert raced.left_out == {"solo": "failures"}
    assert judge(raced).limited_by == "cpu"


def test_a_base_whose_worker_ends_is_measured_in_the_next_pool() -> None:
    raced = run_race(machine(lose=[SOLO]))
    assert {lap.candidate for lap in raced.base} == {Candidate("prefork", 1)}
    assert judge(raced).recommended.candidate == PREFORK


def test_workers_that_cannot_run_side_by_side_run_one_after_the_other() -> None:
    one_port = machine(one_port=True)
    raced = run_race(one_port)
    verdict = judge(raced)
    assert (verdict.complete, verdict.fastest.candidate) == (True, PREFORK)
    assert {summary.candidate.pool for summary in verdict.summaries} == {
        "solo", "prefork", "threads", "gevent",
    }  # fmt: skip


def test_candidates_of_several_workers_on_one_port_are_left_out_and_no_others() -> None:
    one_port = Machine(Task(0.0002, waits=0.05), random.Random(0), one_port=True)
    raced = run_race(one_port, ["threads", "prefork:8"], budget_s=120.0)
    measured = {lap.candidate for lap in raced.laps if lap.items}
    assert {candidate.pool for candidate in measured} == {"solo", "threads", "prefork"}
    assert all(candidate.workers == 1 for candidate in measured)
    starts = [request for request in one_port.requests if isinstance(request, Start)]
    assert any(candidate.workers == 2 for start in starts for candidate in start.candidates)
    assert judge(raced).distinguishable


def test_a_candidate_that_does_not_start_is_started_once_alone_and_not_again() -> None:
    absent = Candidate("threads", 2)
    tried = machine(unable=[absent])
    run_race(tried)
    starts = [request for request in tried.requests if isinstance(request, Start)]
    assert sum(absent in request.candidates for request in starts) == 2


def test_pools_of_which_none_starts_are_named_with_their_first_failure() -> None:
    raced = race(
        base(), ended={"prefork": "failures"}, failures={"prefork:2": "prefork:2 did not start: x"}
    )
    assert not judge(raced).complete
    assert "prefork was not measured, because prefork:2 did not start: x" in text.render(raced)


def test_one_candidate_alone_is_neither_the_fastest_nor_distinguishable() -> None:
    alone = race([*base(), *finals(PREFORK, 190.0)])
    verdict = judge(alone)
    assert (verdict.complete, verdict.distinguishable) == (True, False)
    assert (verdict.to_json()["fastest"], verdict.to_json()["cheapest"]) == (None, None)
    assert "prefork:2 was compared with no other candidate" in text.render(alone)
    assert "is the fastest" not in text.render(alone)
    assert "Run: celery" in text.render(alone)


def test_a_large_difference_counts_after_one_round_and_a_small_one_does_not() -> None:
    def one_round(speed: float) -> Race:
        return race([*base(), *finals(PREFORK, speed, 1), *finals(THREADS, 19.0, 1)])

    assert judge(one_round(153.0)).tied == []
    assert len(judge(one_round(38.0)).tied) == 1
    assert not judge(one_round(153.0)).complete
    assert not judge(one_round(153.0)).distinguishable
    assert "the finals had 1 of at least 3 rounds" in text.render(one_round(153.0))


def test_a_pool_whose_search_ran_out_of_time_may_be_faster() -> None:
    laps = [*base(), lap(GEVENT, "search", 1, items_per_s=100.0), *finals(PREFORK, 190.0)]
    raced = race([*laps, *finals(THREADS, 90.0)], ended={"gevent": "time"})
    verdict = judge(raced)
    assert (verdict.complete, verdict.distinguishable) == (False, False)
    assert verdict.to_json()["recommended"]["pool"] == "prefork"
    slow = [lap(GEVENT, "search", 1, items_per_s=10.0), *laps[:2], *laps[3:]]
    assert judge(race([*slow, *finals(THREADS, 90.0)], ended={"gevent": "time"})).complete


def test_json_says_of_each_pool_why_it_ended_and_how_much_faster_it_could_be() -> None:
    four = Candidate("threads", 4)
    waits: dict[str, Any] = {"items": 10, "cpu_s": 0.02, "own_cpu_s": 0.01}
    busy: dict[str, Any] = {"items": 40, "cpu_s": 0.08, "own_cpu_s": 0.04}
    laps = [
        *base(items_per_s=10.0, **waits),
        *finals(four, 40.0, **busy),
        *finals(PREFORK, 20.0, items=20, cpu_s=0.04, own_cpu_s=0.02),
    ]
    raced = race(
        laps, ended={"threads": "time", "gevent": "failures"}, budget_s=60.0,
        failures={"gevent:4": "gevent:4 did not start: no luck"},
    )  # fmt: skip
    verdict = judge(raced)
    pools = verdict.to_json()["pools"]
    assert pools.keys() == {"threads", "gevent", "prefork"}
    assert pools["threads"]["because"] == "the time budget was used up"
    assert pools["threads"]["could_be_faster"] > 1.1
    assert pools["gevent"] == {
        "ended": "failures",
        "because": "gevent:4 did not start: no luck",
        "could_be_faster": None,
    }
    assert (pools["prefork"]["ended"], pools["prefork"]["because"]) == (
        None,
        "its concurrency was given",
    )
    assert verdict.gaps.unfinished == {"threads": "time"}
    report = text.render(raced)
    assert "times as fast with more slots or workers, but the time budget was used up" in report
    assert "threads:4 is recommended with this reservation" in report
    assert judge(replace(raced, ended={"threads": "executions"})).gaps.unfinished
    assert "--max-executions" in text.render(replace(raced, ended={"threads": "executions"}))


class Session:
    """Stands for a session whose second lap raises an error."""

    elapsed_s, executions = 1.0, 1
    failures: dict[Candidate, str] = {}  # noqa: RUF012 # never changed

    def __init__(self, error: BaseException) -> None:
        self.laps = [lap(SOLO, "base", 1)]
        self._error = error

    def measure(self, candidate: Candidate, kind: str, max_items: int | None) -> Any:
        raise self._error


def one_measurement() -> Generator[Any, Any, Decision]:
    try:
        yield Measure(SOLO, "base")
    except GivenUp as end:
        return Decision([], {}, {}, end.interruption)
    raise AssertionError("the lap was not given up")


@pytest.mark.parametrize(
    ("error", "interruption"),
    [
        (KeyboardInterrupt(), "interrupted"),
        (SystemExit(143), "interrupted"),
        (ClusterError("gone"), "cluster lost"),
    ],
)
def test_an_interruption_ends_the_race_with_the_laps_so_far(
    error: BaseException, interruption: str
) -> None:
    session: Any = Session(error)
    steps: Any = one_measurement()
    decision, raised = execute(steps, session)
    assert (decision.interruption, raised) == (interruption, error)
    session.laps = []
    steps = one_measurement()
    with pytest.raises(type(error)):
        execute(steps, session)


def test_a_lap_that_was_measured_when_the_signal_arrived_is_part_of_the_race() -> None:
    class Interrupted(Session):
        def measure(self, candidate: Candidate, kind: str, max_items: int | None) -> Any:
            self.laps.append(lap(candidate, "base", 1))
            raise self._error

    session: Any = Interrupted(KeyboardInterrupt())
    session.laps = []
    session.start = lambda candidates: candidates
    decision, raised = execute(strategy(OPTIONS, ["threads"], [], cores=2), session)
    assert (decision.interruption, decision.ended) == ("interrupted", {"threads": "interrupted"})
    assert isinstance(raised, KeyboardInterrupt)


def test_a_given_candidate_whose_items_all_fail_is_out_after_one_lap() -> None:
    tried = machine(fails_in=["threads"])
    raced = run_race(tried, ["prefork:2", "threads:8"])
    assert raced.left_out == {"threads:8": "failures"}
    assert len(laps_of(raced, Candidate("threads", 8))) == 1
    assert judge(raced).complete
    with pytest.raises(JobFailed, match=r"no candidate could be measured: threads:8 \(failures\)"):
        run_race(machine(fails_in=["threads"]), ["threads:8"])


def test_workers_that_end_after_an_item_succeeded_are_an_error_when_the_time_is_over() -> None:
    steps = strategy(OPTIONS, ["prefork"], [], cores=2)
    next(steps)
    steps.send(Answer(0.5, 0, [SOLO]))
    lost = replace(lap(SOLO, "base", 1), items=1, lost=True)
    steps.send(Answer(9.0, 2, [], lost, {SOLO: "solo ended: exit code 3"}))
    with pytest.raises(JobFailed, match=r"measured: .*solo \(failures\): solo ended: exit code 3$"):
        steps.throw(GivenUp())


def test_given_candidates_whose_workers_all_end_before_their_lap_are_an_error() -> None:
    steps = strategy(OPTIONS, [], [PREFORK, THREADS], cores=2)
    request = next(steps)
    while not (isinstance(request, Start) and PREFORK in request.candidates):
        request = steps.send(Answer(3.0, 20, [SOLO], lap(SOLO, "base", 10)))
    ended = Answer(5.0, 20, [], None, dict.fromkeys((PREFORK, THREADS), "ended: exit code 3"))
    with pytest.raises(JobFailed, match=r"failures\): prefork:2, threads:2 ended: exit code 3$"):
        deque(map(steps.send, itertools.repeat(ended)), maxlen=0)


def test_candidates_that_fail_for_one_reason_are_named_together() -> None:
    progress = Progress(OPTIONS)
    progress.executions = 2
    progress.failures = {SOLO: "solo ended: exit code 3", THREADS: f"{THREADS} ended: exit code 3"}
    error = base_error(OPTIONS, progress, gave_up=True)
    assert "succeeded: solo, threads:2 ended: exit code 3; fix the task" in str(error)


def test_a_task_that_waits_for_other_tasks_is_not_given_a_larger_budget() -> None:
    progress = Progress(OPTIONS)
    progress.executions = 1
    progress.failures = {SOLO: f"solo hung: no item finished within 5 s; it sent a.b, {NOT_RUN}"}
    error = base_error(OPTIONS, progress, gave_up=True)
    assert str(error).endswith(f"{NOT_RUN}; race the tasks that it waits for instead")
