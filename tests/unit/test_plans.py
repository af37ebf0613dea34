"""Plans have the right cases in the right order, and refuse lists that cannot be compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolrace.producer.executors.models import Model
from poolrace.producer.experiments.plans import (
    MAX_CHUNKS,
    Case,
    Plan,
    doublings,
    hosts_plan,
    slots_plan,
    sweep_plan,
)
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.schedules import AUTO, ScheduleChoice
from poolrace.workers.errors import UsageError
from poolrace.workers.workloads import make_workload

PREFORK = Model("celery", "prefork", 2)


def job(stop: int) -> Job:
    return Job(make_workload("sum", {}), 0, stop)


def test_each_round_has_every_case_and_starts_with_the_next_one() -> None:
    plan = sweep_plan(job(100), PREFORK, [2, 4, 8], repeat=2)
    assert [case.schedule.chunks for case in plan.rounds()] == [2, 4, 8, 4, 8, 2]
    assert (plan.varies, plan.schedule) == ("chunks", "static")


def test_a_sweep_cuts_into_equal_chunks() -> None:
    [few, many] = sweep_plan(job(100), PREFORK, [10, 3], repeat=1).cases
    assert list(few.schedule.make(100).sizes(100, 2)) == [34, 33, 33]
    assert list(many.schedule.make(100).sizes(100, 2)) == [10] * 10


@given(st.integers(2, 10**9), st.integers(1, 10_000))
def test_a_default_sweep_has_at_most_seven_numbers_within_the_range(count: int, slots: int) -> None:
    plan = sweep_plan(job(count), Model("celery", "gevent", slots), None, repeat=1)
    numbers = [case.schedule.chunks or 0 for case in plan.cases]
    assert numbers == sorted(set(numbers))
    assert 1 <= numbers[0] <= slots
    assert numbers[-1] <= min(count, MAX_CHUNKS)
    assert len(numbers) <= 7
    assert count < MAX_CHUNKS or len(numbers) >= 4


@pytest.mark.parametrize(
    ("slots", "numbers"), [(2, [2, 8, 32, 128, 512]), (100, [16, 64, 256, 1024])]
)
def test_a_default_sweep_starts_with_one_chunk_per_slot(slots: int, numbers: list[int]) -> None:
    plan = sweep_plan(job(10**8), Model("celery", "gevent", slots), None, repeat=1)
    assert [case.schedule.chunks for case in plan.cases] == numbers


@pytest.mark.parametrize(("stop", "chunks"), [(100, [4]), (100, [4, 4]), (1, None), (0, None)])
def test_a_sweep_over_one_number_is_refused(stop: int, chunks: list[int] | None) -> None:
    with pytest.raises(UsageError, match="give two numbers or more"):
        sweep_plan(job(stop), PREFORK, chunks, repeat=1)


def test_more_chunks_than_indices_are_refused() -> None:
    with pytest.raises(UsageError, match="more than the 10 indices"):
        sweep_plan(job(10), PREFORK, [2, 20], repeat=1)


@pytest.mark.parametrize(
    ("numbers", "message"), [([2, 4], "write --hosts 1,2,4"), ([1], "nothing to compare")]
)
def test_scaling_needs_1_and_another_number(numbers: list[int], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        hosts_plan(job(10), Model("celery", "solo"), numbers, AUTO, repeat=1)


def test_the_executor_has_no_slots_limit_where_hosts_vary() -> None:
    plan = hosts_plan(job(10), PREFORK, [4, 1], AUTO, repeat=1)
    assert [case.hosts for case in plan.cases] == [1, 4]
    assert {case.executor_model.slots for case in plan.cases} == {None}
    assert (plan.hosts, plan.pools()) == (4, {"prefork": 2})


def test_the_cluster_gets_the_most_slots_of_any_case() -> None:
    plan = slots_plan(job(10), Model("celery", "prefork"), [1, 2, 4], AUTO, repeat=1)
    assert [case.executor_model.slots for case in plan.cases] == [1, 2, 4]
    assert (plan.hosts, plan.pools()) == (1, {"prefork": 4})


@pytest.mark.parametrize(
    ("most", "numbers"), [(1, [1]), (2, [1, 2]), (4, [1, 2, 4]), (6, [1, 2, 4, 6])]
)
def test_doublings_end_with_the_given_number(most: int, numbers: list[int]) -> None:
    assert doublings(most) == numbers


def test_a_case_is_printed_with_its_slots_hosts_and_chunks() -> None:
    case = Case(PREFORK, ScheduleChoice("static", chunks=8), hosts=3)
    assert str(case) == "celery:prefork, 2 slots, 3 hosts, 8 chunks"
    assert Plan(job(10), [Case(PREFORK)]).schedule == "auto"
