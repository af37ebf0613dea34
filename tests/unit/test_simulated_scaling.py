"""``producer scale --simulate`` with made-up costs: the series, its limits, and its report."""

from dataclasses import replace

import pytest

from poolrace.producer.analysis.saturation import saturations
from poolrace.producer.executors.models import Model
from poolrace.producer.experiments.scaling import ScaleOptions
from poolrace.producer.experiments.simulated_scaling import (
    SimulationOptions,
    series_comparison,
    simulation_options,
)
from poolrace.producer.experiments.simulated_series import MAX_CHUNKS, Series, require_simulable
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.schedules import AUTO, ScheduleChoice
from poolrace.producer.reports.formats import FORMATS
from poolrace.producer.reports.views.view import View, view
from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.environment import Environment
from poolrace.producer.results.files import to_json
from poolrace.producer.results.simulation import Calibration, RealHosts
from poolrace.workers.errors import UsageError
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.workloads import make_workload

COSTS = Calibration("prefork", 300, 0.0002, 0.0001, 0.00005, 0.0004, 0.0006, 0.0001, 1e-3, 0.0,
                    0.01, 2.0)  # fmt: skip


def simulated(
    count: int, hosts: tuple[int, ...], costs: Calibration = COSTS,
    schedule: ScheduleChoice = AUTO, slots: int = 1,
) -> Comparison:  # fmt: skip
    """A simulated series of a job with ``count`` equal indices."""
    series = Series(Job(make_workload("sum", {}), 0, count), schedule, costs)
    environment = Environment([HostFacts.collect("host")], {})
    options = SimulationOptions(hosts, slots)
    return series_comparison(series, options, None, "2026-01-01T00:00:00Z", environment)


def report_of(compared: Comparison) -> View:
    return view(compared)


def limits(compared: Comparison) -> list[str]:
    assert compared.simulation
    return [each.limit for each in saturations(compared, compared.simulation)]


def test_long_work_has_nearly_the_ideal_speed_up() -> None:
    compared = simulated(1_000_000, (4, 16), slots=2)
    one, four, sixteen = (run.elapsed_s for run in compared.runs)
    assert one == pytest.approx(500, rel=0.02)
    assert one / four == pytest.approx(4, rel=0.02)
    assert one / sixteen == pytest.approx(16, rel=0.03)
    assert [run.slots for run in compared.runs] == [2, 8, 32]
    assert limits(compared) == ["slots"] * 3
    assert compared.exact
    assert any("Nothing saturates" in line for line in report_of(compared).findings)


def test_the_producer_limits_many_hosts_with_short_chunks_and_more_producers_help() -> None:
    costs = replace(COSTS, send_s=0.002, receive_s=0.002)
    compared = simulated(200_000, (100,), costs, ScheduleChoice("dynamic", chunk_size=20))
    assert limits(compared)[-1] == "producer"
    text = " ".join(report_of(compared).findings)
    assert "producer CPU limits the speed-up first" in text
    assert "producers would make 100 hosts" in text
    assert "--schedule dynamic --chunk-size" in text


def test_redis_limits_many_hosts_if_it_is_slow_and_more_servers_help() -> None:
    costs = replace(COSTS, redis_s=0.004)
    compared = simulated(200_000, (100,), costs, ScheduleChoice("dynamic", chunk_size=20))
    assert limits(compared)[-1] == "redis"
    assert "Redis servers would make 100 hosts" in " ".join(report_of(compared).findings)


def test_the_network_limits_a_run_whose_messages_take_longer_than_its_chunks() -> None:
    costs = replace(COSTS, latency_s=1.0)
    compared = simulated(20_000, (2,), costs, ScheduleChoice("dynamic", chunk_size=1000))
    assert limits(compared)[-1] == "network"


def test_one_long_chunk_limits_a_run_and_shorter_chunks_help() -> None:
    compared = simulated(200_000, (100,), schedule=ScheduleChoice("static", chunks=10))
    assert limits(compared)[-1] == "granularity"
    assert "--schedule dynamic" in " ".join(report_of(compared).findings)


def test_one_long_index_limits_a_run_and_the_report_says_that_no_chunk_size_helps() -> None:
    compared = simulated(10, (100,), replace(COSTS, work_s=1.0))
    assert limits(compared)[-1] == "granularity"
    assert "no chunk size makes the job shorter" in " ".join(report_of(compared).findings)


def test_each_report_says_that_it_is_a_simulation_and_was_not_compared_with_real_hosts() -> None:
    compared = simulated(100_000, (2, 4))
    for name in ("text", "markdown", "html"):
        text = FORMATS[name](compared)
        page = text if isinstance(text, str) else text.decode()
        assert "SIMULATION: no host ran this job" in page
        assert "not compared with real hosts; add --hosts" in page
    assert to_json(compared)["simulation"]["calibration"]["messages"] == 300


@pytest.mark.parametrize(("simulated_s", "words"), [(1.05, "within"), (1.2, "NOT within")])
def test_the_report_compares_real_hosts_with_the_simulation(simulated_s: float, words: str) -> None:
    compared = simulated(100_000, (2,))
    assert compared.simulation
    real = [RealHosts(2, 2, [0.9, 1.0, 1.1], simulated_s)]
    compared = replace(compared, simulation=replace(compared.simulation, real=real))
    assert f"predicted the real hosts {words} 10%" in " ".join(report_of(compared).findings)
    assert report_of(compared).figures["real"][0]["error"] == pytest.approx(simulated_s - 1)


def scale_options(model: str = "prefork", slots: tuple[int, ...] | None = None) -> ScaleOptions:
    kind, _, name = model.rpartition(":")
    parsed = Model.parse("local" if kind else "celery", name)
    return ScaleOptions(Job(make_workload("sum", {}), 0, 10), parsed, None, slots, AUTO, 1)


@pytest.mark.parametrize(
    ("scale", "hosts", "slots", "message"),
    [
        (scale_options(), (10_001,), 20, "200,020 slots; at most 200,000 .* at most 10,000 hosts"),
        (scale_options(), (1,), 10**9, "--slots-per-host 1000000000: give 1 to 200,000"),
        (scale_options(), (1,), 0, "--slots-per-host 0: give 1 to"),
        (scale_options(), (1, -3), None, "--simulate -3: give 1 host or more"),
        (scale_options(), None, 16, "--slots-per-host 16 is for --simulate"),
        (scale_options("local:threads"), (2,), None, "for Celery pools, not for local:threads"),
        (scale_options(slots=(1, 2)), (2,), None, "--simulate and --slots exclude each other"),
    ],
)
def test_numbers_that_cannot_be_simulated_are_refused(
    scale: ScaleOptions, hosts: tuple[int, ...] | None, slots: int | None, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        simulation_options(scale, hosts, slots)


@pytest.mark.parametrize(
    ("schedule", "work_s"),
    [
        (ScheduleChoice(chunks=MAX_CHUNKS + 1), 0.0),
        (ScheduleChoice("dynamic", chunk_size=1), 0.0),
        (AUTO, 60.0),
    ],
)
def test_a_job_of_too_many_chunks_is_refused(schedule: ScheduleChoice, work_s: float) -> None:
    job = Job(make_workload("sum", {}), 0, 10**9)
    calibration = replace(COSTS, work_s=work_s) if work_s else None
    with pytest.raises(UsageError, match="chunks or more; at most 2,000,000 can be simulated"):
        require_simulable(job, schedule, [16], calibration)


def test_the_chunks_of_auto_are_not_refused_before_they_are_known() -> None:
    require_simulable(Job(make_workload("sum", {}), 0, 10**9), AUTO, [16])


def test_the_costs_of_the_indices_are_those_of_the_workload() -> None:
    job = Job(make_workload("factorial", {}), 1, 400)
    run, case = Series(job, AUTO, COSTS).run(3, 2)
    assert run.exact
    assert run.slots_s == pytest.approx(job.workload.cost(1, 400) * COSTS.work_s)
    assert case.longest_index_s == pytest.approx(job.workload.cost(399, 400) * COSTS.work_s)
