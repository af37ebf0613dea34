"""The strategy of a race on made-up machines, quiet and busy: measurements and decisions."""

import math
import random
from collections import Counter
from dataclasses import replace

import pytest

from poolrace.producer.analysis.race_limit import Limit
from poolrace.producer.analysis.race_verdict import Verdict, judge
from poolrace.producer.errors import AllFailed, JobFailed
from poolrace.producer.race.finals import afford_rounds, compare_with_leader
from poolrace.producer.race.lap_limits import LapLimits
from poolrace.producer.race.options import Variants
from poolrace.producer.race.requests import Progress, Start
from poolrace.producer.reports.formats import text
from poolrace.producer.results.candidate import SOLO, Candidate
from tests.unit.made_up_machines import OPTIONS, Machine, Task, quiet, run_race
from tests.unit.made_up_races import MIB, lap


def verdicts(task: Task, load: int, number: int = 20) -> list[Verdict]:
    return [judge(run_race(Machine(task, random.Random(seed), load))) for seed in range(number)]


busy_or_not = pytest.mark.parametrize("load", [0, 2])

COMPUTES = Task(0.02)
TWO_WORKERS = [("solo", 2), ("threads", 2), ("gevent", 2)]
WAITS = Task(0.0002, 0.1)


@busy_or_not
def test_python_code_that_computes_gets_one_process_per_core(load: int) -> None:
    results = verdicts(COMPUTES, load)
    recommended = [verdict.recommended.candidate for verdict in results]
    each = [one for one in recommended if (one.pool, one.workers) in {("prefork", 1), *TWO_WORKERS}]
    assert [one.slots for one in each].count(2) >= (17 if load else 20)
    assert {verdict.limited_by for verdict in results} == {"cpu"}
    for verdict in results:
        assert all(summary.candidate.slots <= 4 for summary in verdict.summaries)


@busy_or_not
def test_code_that_releases_the_gil_gets_threads_since_they_are_cheaper(load: int) -> None:
    results = verdicts(Task(0.02, releases_gil=True), load)
    cheapest = [verdict.cheapest.candidate for verdict in results if verdict.cheapest]
    assert [candidate.pool for candidate in cheapest].count("threads") >= 14
    assert {verdict.limited_by for verdict in results} == {"cpu"}


@busy_or_not
def test_a_task_that_waits_gets_many_slots(load: int) -> None:
    for verdict in verdicts(WAITS, load):
        assert verdict.fastest.candidate.slots >= 64


@busy_or_not
def test_a_call_that_blocks_greenlets_is_reported(load: int) -> None:
    for verdict in verdicts(Task(0.0002, 0.05, blocks_greenlets=True), load):
        assert verdict.limited_by == "blocking"
        assert verdict.fastest.candidate.pool in {"threads", "prefork"}
        assert {summary.candidate.pool for summary in verdict.blocking} == {"gevent"}


@pytest.mark.parametrize(
    ("task", "limits"),
    [
        (COMPUTES, {"cpu"}),
        (Task(0.02, releases_gil=True), {"cpu"}),
        (Task(0.005, 0.02), {"cpu", "waiting"}),  # with enough slots the cores are used up
        (Task(0.0002, 0.05, blocks_greenlets=True), {"blocking"}),
    ],
)
def test_races_of_a_task_agree_on_quiet_and_on_busy_machines(
    task: Task, limits: set[Limit]
) -> None:
    both = [*verdicts(task, 0, 12), *verdicts(task, 2, 12)]
    assert {verdict.limited_by for verdict in both} <= limits


def test_a_finalist_that_is_clearly_slower_has_no_further_laps() -> None:
    machine = Machine(Task(0.02, releases_gil=True), random.Random(6))
    raced = run_race(machine, ["prefork:2", "threads:2", "solo"])
    rounds = {
        finalist: sum(lap.kind == "final" and lap.candidate == finalist for lap in raced.laps)
        for finalist in raced.finalists
    }
    assert rounds[SOLO] < max(rounds.values())
    assert raced.left_out == {}


def test_a_task_that_always_fails_ends_with_its_traceback() -> None:
    with pytest.raises(AllFailed, match=r"failed for all \d+ items") as caught:
        run_race(quiet(Task(0.01, fails=1.0)))
    assert caught.value.traceback == "Traceback: no luck"


def test_the_slowest_finalists_are_out_if_their_rounds_would_make_too_many_executions() -> None:
    progress = Progress(OPTIONS)
    first, second, third, lean = (Candidate("threads", 256, workers) for workers in (4, 3, 2, 1))
    speeds = {first: 900.0, second: 850.0, third: 800.0, lean: 750.0}
    memory = dict.fromkeys(speeds, 200.0) | {lean: 50.0}
    progress.laps = [lap(candidate, "search", 1, items=513) for candidate in speeds]
    assert afford_rounds(progress, list(speeds), speeds, memory) == [first, second, lean]
    progress.executions = 1500
    assert afford_rounds(progress, list(speeds), speeds, memory) == [first, lean]
    assert third in afford_rounds(progress, list(speeds), speeds, memory, [third])
    progress.laps = [lap(candidate, "search", 1, items=200) for candidate in speeds]
    assert afford_rounds(progress, list(speeds), speeds, memory) == list(speeds)


def test_an_app_whose_workers_do_not_start_cannot_be_raced() -> None:
    with pytest.raises(JobFailed, match="no worker of the app starts"):
        run_race(Machine(COMPUTES, random.Random(0), unable=[SOLO, Candidate("prefork", 1)]))


def test_a_candidate_whose_workers_do_not_start_is_left_out() -> None:
    absent = Candidate("threads", 4)
    machine = Machine(COMPUTES, random.Random(0), unable=[absent])
    raced = run_race(machine, ["prefork:2", "threads:4"])
    assert raced.left_out == {"threads:4": "failures"}
    assert absent not in {lap.candidate for lap in raced.laps}


def test_memory_ends_the_search_of_a_pool() -> None:
    raced = run_race(quiet(WAITS), ["prefork"], max_memory_bytes=1000 * MIB)
    assert raced.ended == {"prefork": "memory"}
    assert max(lap.peak_memory_bytes for lap in raced.laps) <= 1000 * MIB
    assert judge(raced).limited_by == "memory"


def test_the_only_candidate_of_a_search_is_compared_with_half_of_its_slots() -> None:
    raced = run_race(quiet(COMPUTES), ["prefork"])
    assert raced.finalists == [Candidate("prefork", 2), Candidate("prefork", 1)]


def test_a_race_in_which_not_even_a_few_processes_fit_into_memory_fails() -> None:
    error = r"^proj\.task: no candidate could be measured: prefork \(memory\)"
    with pytest.raises(JobFailed, match=error):
        run_race(quiet(Task(0.01, 0.5)), ["prefork"], max_memory_bytes=10 * MIB)


def test_time_ends_the_search() -> None:
    machine = quiet(WAITS)
    raced = run_race(machine, budget_s=15.0)
    assert "time" in raced.ended.values()
    assert machine.elapsed_s < 16.0


def test_executions_end_the_search() -> None:
    raced = run_race(quiet(WAITS), ["threads"], max_executions=200)
    assert raced.ended == {"threads": "executions"}


@pytest.mark.parametrize("number", [60, 200, 300])
def test_executions_that_other_pools_have_used_up_are_no_failures_of_a_pool(number: int) -> None:
    machine = quiet(WAITS)
    few = replace(OPTIONS, max_executions=number)
    machine.limits = LapLimits(few, prefetch=4, deadline=math.inf, cut_short=True)
    raced = run_race(machine, max_executions=number)
    assert "executions" in raced.ended.values()
    assert "failures" not in raced.ended.values()
    report = text.render(replace(raced, budget_s=120.0))
    assert "--max-executions 2000" in report
    assert "more time" not in report


@pytest.mark.parametrize("number", range(1500, 4500, 250))
def test_executions_end_the_finals_after_a_complete_round(number: int) -> None:
    machine = quiet(WAITS)
    few = replace(OPTIONS, max_executions=number)
    machine.limits = LapLimits(few, prefetch=4, deadline=math.inf, cut_short=True)
    raced = run_race(machine, max_executions=number)
    finals = Counter(lap.candidate for lap in raced.laps if lap.kind == "final")
    assert machine.executions <= number
    assert len({*finals.values()}) <= 1
    laps = [lap.executions for lap in raced.laps if lap.kind == "final"]
    assert min(laps, default=1) >= 0.8 * max(laps, default=1)


def test_given_candidates_are_raced_alone() -> None:
    raced = run_race(quiet(COMPUTES), ["prefork:2", "threads:4"])
    assert raced.finalists == [Candidate("prefork", 2), Candidate("threads", 4)]
    assert {lap.candidate for lap in raced.laps} == {*raced.finalists, SOLO}
    assert judge(raced).distinguishable


def test_a_candidate_without_time_is_left_out() -> None:
    machine = quiet(COMPUTES)
    raced = run_race(machine, ["prefork:2"], budget_s=5.0)
    assert raced.left_out == {"prefork:2": "time"}
    assert sum(isinstance(request, Start) for request in machine.requests) == 1
    assert not judge(raced).distinguishable


def test_variants_of_the_best_candidates_are_raced_too() -> None:
    variants = Variants(workers=(1, 2), prefetch=(None, 1))
    raced = run_race(quiet(COMPUTES), ["prefork"], variants=variants)
    assert {lap.candidate for lap in raced.laps} >= {
        Candidate("prefork", 2),
        Candidate("prefork", 2, 1, 1),
        Candidate("prefork", 2, 2),
        Candidate("prefork", 2, 2, 1),
    }


def test_the_rounds_of_a_finalist_go_on_until_the_verdict_distinguishes_it() -> None:
    """A 95 % interval below the leader does not suffice: the verdict asks for more than that."""
    leader, slower = Candidate("prefork", 2), Candidate("gevent", 2)
    speeds = {leader: [113.4, 118.7, 114.6], slower: [76.6, 77.7, 56.5]}
    assert compare_with_leader(speeds) == {slower: None}
    speeds = {leader: [113.4, 118.7, 114.6], slower: [71.6, 77.7, 56.5]}
    assert compare_with_leader(speeds) == {slower: "slower"}


@pytest.mark.parametrize("seed", range(5))
def test_candidates_that_run_at_a_time_take_little_more_memory_than_one_may(seed: int) -> None:
    """By default one may take half of the available memory."""
    limited = Machine(Task(0.002, 0.02), random.Random(seed))
    run_race(limited, max_memory_bytes=300 * MIB)
    assert limited.most_bytes < 1.6 * 300 * MIB
