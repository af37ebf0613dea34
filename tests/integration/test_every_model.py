"""Every model gives the exact value of every workload under every schedule.

Parametrised over the registries: a new model, pool or workload is tested as soon as it is
registered, and a new workload fails here until ``CASES`` has its expected value.
"""

import math
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import pytest

from poolrace.producer.executors.models import ONE_SLOT, Model
from poolrace.producer.jobs.schedules import ScheduleChoice
from poolrace.producer.settings import Settings
from poolrace.workers.pools import POOLS
from poolrace.workers.workloads import WORKLOADS, make_workload
from poolrace.workers.workloads.minimum import PRIME, _coefficients
from tests.conftest import run_once
from tests.local_models import RUNNABLE

MODELS = [
    *(Model("local", name, None if name == "single" else 2) for name in RUNNABLE),
    *(Model("celery", name) for name in POOLS),
]


CLOCK_S = 0.005
"""Seconds by which the clocks of threads and processes may differ."""


@dataclass(frozen=True)
class Case:
    parameters: dict[str, Any]
    start: int
    stop: int
    value: int
    """Expected value, computed without the code under test."""


def _sequence(seed: int, count: int) -> list[int]:
    a, b = _coefficients(seed)
    return [(a * i + b) % PRIME - PRIME // 2 for i in range(count)]


CASES: dict[str, Case] = {
    "sum": Case({}, 17, 200_017, sum(range(17, 200_017))),
    "factorial": Case({"wait_s": 0.001}, 2, 30, sum(math.factorial(n) for n in range(2, 30))),
    "minimum": Case({"seed": 3}, 0, 20_000, min(_sequence(3, 20_000))),
    "mixed": Case({"cpu_s": 0.0005, "wait_s": 0.001}, 0, 100, sum(range(100))),
}

PARAMETERS: dict[str, list[dict[str, Any]]] = {
    "sum": [{}, {"kernel": "builtin"}, {"kernel": "numpy"}],
    "factorial": [{"wait_s": 0.0}, {"wait_s": 0.001}],
    "minimum": [{"values": (10, 4, 22, -6)}, {"seed": 3}],
    "mixed": [{"cpu_s": 0.0, "wait_s": 0.001}, {"cpu_s": 0.001, "wait_s": 0.0}],
}
"""Parameters of each workload, one case for each way in which it computes."""

SCHEDULES = [
    ScheduleChoice(),
    ScheduleChoice("static"),
    ScheduleChoice("dynamic", chunks=13),
    ScheduleChoice("guided"),
]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
@pytest.mark.parametrize("name", WORKLOADS)
@pytest.mark.parametrize("model", MODELS, ids=str)
def test_every_index_is_counted_once_and_the_value_is_right(
    model: Model, name: str, schedule: ScheduleChoice, with_cluster: Settings
) -> None:
    case = CASES[name]
    workload = make_workload(name, case.parameters)
    run = run_once(workload, case.start, case.stop, model, with_cluster, schedule)
    assert run.value == run.expected == case.value
    assert run.exact
    assert run.intervals == [[case.start, case.stop]]
    shares = [share for slots in run.shares.values() for share in slots.values()]
    counted = [record for record in run.records if record.mark != "duplicate"]
    assert sum(share.chunks for share in shares) == run.chunks == len(counted)
    assert sum(share.indices for share in shares) == case.stop - case.start


@pytest.mark.parametrize("name", WORKLOADS)
@pytest.mark.parametrize("model", MODELS, ids=str)
def test_a_job_with_fewer_indices_than_slots_is_exact(
    model: Model, name: str, with_cluster: Settings
) -> None:
    """Two indices, one, and none; gevent has 20 slots, the local models have 3."""
    if model.name not in ONE_SLOT and model.kind == "local":
        model = replace(model, slots=3)
    # Starting processes takes most of the time, and every process computes alike.
    cases = PARAMETERS[name][: 1 if model.name in ("processes", "interpreters") else None]
    for parameters, (start, stop) in product(cases, [(1, 3), (3, 4), (4, 4)]):
        run = run_once(make_workload(name, parameters), start, stop, model, with_cluster)
        assert run.exact, (parameters, start, stop)
        assert sum(len(range(*interval)) for interval in run.intervals) == stop - start


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_an_empty_range_is_a_job_with_value_0(model: Model, with_cluster: Settings) -> None:
    run = run_once(make_workload("minimum", {}), 7, 7, model, with_cluster)
    assert (run.value, run.chunks, run.exact, run.intervals) == (0, 0, True, [])


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_cpu_time_switches_and_memory_are_measured(model: Model, with_cluster: Settings) -> None:
    mixed = make_workload("mixed", {"cpu_s": 0.01, "wait_s": 0.0})
    run = run_once(mixed, 0, 40, model, with_cluster)
    assert 0.4 <= run.busy_s < 0.6
    assert run.cpu_s >= 0.35
    if model.kind == "celery" or model.name in ("threads", "processes"):
        assert run.voluntary_switches + run.involuntary_switches > 0
    assert run.peak_memory_bytes > 10 * 2**20
    assert 0 < run.efficiency <= 1.05
    assert run.elapsed_s > 0
    assert run.startup_s > 0


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_every_chunk_has_its_place_on_the_clock_of_the_run(
    model: Model, with_cluster: Settings
) -> None:
    """A chunk begins after it was sent; its parts are no longer than the chunk."""
    mixed = make_workload("mixed", {"cpu_s": 0.001, "wait_s": 0.001})
    run = run_once(mixed, 0, 60, model, with_cluster, ScheduleChoice("dynamic", chunk_size=2))
    assert len(run.records) >= 30
    for record in run.records:
        if record.mark == "duplicate":
            continue  # on a busy machine; it arrived after its chunk was counted
        assert record.sent_s is not None
        assert record.cpu_s is not None
        assert record.waited_s is not None
        began_s = record.arrived_s - record.duration_s
        assert 0 <= record.sent_s <= began_s + CLOCK_S <= record.arrived_s + CLOCK_S
        assert record.arrived_s <= run.elapsed_s
        assert 0 < record.cpu_s + record.waited_s <= record.duration_s + CLOCK_S
    utilisation = run.utilisation
    assert utilisation is not None
    assert sum(sum(row.busy_s) for row in utilisation.rows) == pytest.approx(run.busy_s, abs=0.02)
    slots = {(host, slot) for host, shares in run.shares.items() for slot in shares}
    assert {(row.host, row.slot) for row in utilisation.rows} == slots
    for row in utilisation.rows:
        assert len(row.busy_s) * utilisation.bin_s >= run.elapsed_s


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_a_big_integer_arrives_in_full(model: Model, with_cluster: Settings) -> None:
    run = run_once(make_workload("factorial", {"wait_s": 0.0}), 2500, 2502, model, with_cluster)
    assert run.value == math.factorial(2500) + math.factorial(2501)
    assert run.exact
