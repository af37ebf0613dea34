"""The simulated executor: its descriptions of fleets, its costs, and its virtual clock."""

import math
import time
from collections.abc import Callable

import pytest

from poolrace.producer.executors.simulated.executor import Simulated
from poolrace.producer.executors.simulated.fleet import (
    MAX_SLOTS,
    Fleet,
    FleetHost,
    MessageCosts,
    SlotSpeed,
)
from poolrace.producer.jobs.schedules import ScheduleChoice
from poolrace.workers.chunks import Chunk
from poolrace.workers.errors import ClusterError, UsageError
from tests.unit.made_up_fleets import mixed, run, uniform

MOST_CPU_S = 15.0
"""CPU seconds of a simulation of 16,000 slots, at most. It takes 3 to 4 s; it took 26 s and more
while each check of the producer looked at all chunks in flight."""

ONE = SlotSpeed()
STATIC = ScheduleChoice("static")
FREE = MessageCosts(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("describe", "message"),
    [
        (lambda: SlotSpeed(-1.0), "speed -1: give more than 0"),
        (lambda: SlotSpeed(math.nan), "speed nan: give more than 0"),
        (lambda: SlotSpeed(1.0, ((5.0, 0.5), (4.0, 1.0))), "give seconds from 0 on, in order"),
        (lambda: SlotSpeed(1.0, ((5.0, -0.5),)), "factor -0.5 of a speed: give 0 to 1e"),
        (lambda: SlotSpeed(1.0, ((5.0, 0.0),)), "must not stall for ever"),
        (lambda: FleetHost(()), "a host has 0 slots; give 1 or more"),
        (lambda: FleetHost.equal(0), "0 slots: give 1 to 200,000"),
        (lambda: FleetHost((ONE,), joins_s=-1.0), "joins at -1 s; give 0 or more"),
        (lambda: FleetHost((ONE,), 2.0, dies_s=1.0), "dies at 1 s; give more than the 2 s"),
        (lambda: FleetHost.equal(2, cores=0), "a host has 0 cores; give 1 or more"),
        (
            lambda: FleetHost((SlotSpeed(1.0, ((1.0, 0.5),)),), cores=1),
            "changes of speed: give them to slots that share no cores",
        ),
        (lambda: MessageCosts(latency_s=-1.0), "latency_s -1: give 0 to 60"),
        (lambda: MessageCosts(lost=0.9), "lost 0.9: give 0 to 0.5"),
        (lambda: Fleet(()), "the fleet has 0 hosts; give 1 or more"),
        (lambda: Fleet((FleetHost((ONE,), 1.0),)), "no host joins at 0 s"),
        (lambda: Fleet.equal(1, MAX_SLOTS + 1), "200,001 slots: give 1 to 200,000"),
        (lambda: Fleet.equal(10**9, 16), "16,000,000,000 slots: give 1 to 200,000"),
        (lambda: Fleet.equal(-1, 2), "-2 slots: give 1 to 200,000"),
    ],
)
def test_a_description_that_cannot_be_simulated_is_refused(
    describe: Callable[[], object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        describe()


def test_a_chunk_takes_as_long_as_the_changes_of_its_slots_speed_say() -> None:
    speed = SlotSpeed(2.0, ((1.0, 0.5), (3.0, 0.0), (10.0, 1.0)))
    assert speed.end_s(0.0, 1.0) == 0.5
    assert speed.end_s(0.0, 3.0) == 2.0
    assert speed.end_s(0.0, 4.0) == 3.0
    assert speed.end_s(0.0, 6.0) == 11.0
    assert speed.end_s(4.0, 2.0) == 11.0
    assert speed.end_s(20.0, 2.0) == 21.0


def test_a_run_without_message_costs_takes_as_long_as_its_chunks() -> None:
    result = run(uniform(8, 8.0), Fleet((FleetHost.equal(4),), FREE), STATIC)
    assert result.exact
    assert result.elapsed_s == pytest.approx(2.0)
    assert result.slots_s == pytest.approx(8.0)
    assert result.producer_s == result.redis_s == 0.0


def test_each_message_costs_time_in_the_producer_in_redis_in_the_host_and_in_the_slot() -> None:
    costs = MessageCosts(0.001, 0.0, 0.01, 0.02, 0.03, 0.04, 0.05)
    result = run(uniform(1, 1.0), Fleet((FleetHost.equal(1),), costs), STATIC)
    assert result.elapsed_s == pytest.approx(1.0 + 0.01 + 0.02 + 2 * 0.03 + 0.04 + 0.05 + 4 * 0.001)
    assert result.producer_s == pytest.approx(0.03)
    assert result.redis_s == pytest.approx(0.06)


@pytest.mark.parametrize(
    ("waiting", "elapsed_s"), [(0.0, 4.0), (0.5, 2.0), (0.75, 1.0), (1.0, 1.0)]
)
def test_slots_that_share_a_core_wait_at_once_and_compute_in_turn(
    waiting: float, elapsed_s: float
) -> None:
    work = mixed(4, 4.0, waiting)
    result = run(work, Fleet((FleetHost.equal(4, cores=1),), FREE), STATIC)
    assert result.exact
    assert result.elapsed_s == pytest.approx(elapsed_s)


def test_a_core_that_a_slot_leaves_is_free_for_the_others() -> None:
    """Two slots compute 1 s each at half speed; the one with 1 s more is alone from then on."""
    hosts = (FleetHost((ONE, SlotSpeed(0.5)), cores=1),)
    result = run(mixed(2, 2.0, 0.0), Fleet(hosts, FREE), STATIC)
    assert result.elapsed_s == pytest.approx(3.0)


def test_messages_compute_on_the_cores_that_slots_share() -> None:
    costs = MessageCosts(0.0, 0.0, 0.0, 0.0, 0.0, 0.01, 0.02)
    fleet = Fleet((FleetHost.equal(4, cores=1),), costs)
    assert run(mixed(4, 4.0, 0.0), fleet, STATIC).elapsed_s == pytest.approx(4.0 + 4 * 0.03)


def test_a_host_takes_its_messages_one_after_the_other_and_hosts_do_so_at_once() -> None:
    costs = MessageCosts(0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.0)
    work = uniform(4, 4.0)
    together, apart = Fleet((FleetHost.equal(4),), costs), Fleet((FleetHost.equal(1),) * 4, costs)
    assert run(work, together, STATIC).elapsed_s == pytest.approx(1.0 + 4 * 0.5)
    assert run(work, apart, STATIC).elapsed_s == pytest.approx(1.0 + 0.5)


def test_the_clock_stands_at_the_timeout_if_no_result_arrives() -> None:
    work = uniform(1, 100.0)
    with Simulated(work.job, Fleet.equal(1, 1), work.times) as executor:
        executor.submit([Chunk(0, 1)])
        assert executor.collect(10.0) == []
        assert executor.cluster.now == pytest.approx(10.0, abs=0.01)
        [result] = executor.collect(100.0)
    assert result.duration_s == pytest.approx(100.0)


def test_a_host_that_joins_takes_chunks_and_one_that_leaves_ends_its_own() -> None:
    hosts = (FleetHost((ONE,), leaves_s=5.0), FleetHost((ONE,), joins_s=2.0))
    result = run(uniform(40, 20.0), Fleet(hosts), ScheduleChoice("dynamic", chunk_size=4))
    assert result.exact
    assert result.counts == {}
    assert result.elapsed_s == pytest.approx(16.0, abs=1.0)  # 6 s of work by the first host


def test_the_chunk_of_a_dead_host_is_computed_by_another() -> None:
    hosts = (FleetHost((ONE,), dies_s=5.0), FleetHost((ONE,)))
    result = run(uniform(40, 40.0), Fleet(hosts), ScheduleChoice("dynamic", chunk_size=4))
    assert result.exact
    assert sum(result.counts.values()) > 0


def test_a_run_fails_when_all_hosts_have_died() -> None:
    with pytest.raises(ClusterError, match="no worker consumes the queue of pool 'simulated'"):
        run(uniform(40, 40.0), Fleet((FleetHost((ONE,), dies_s=5.0),)))


def test_the_time_of_a_simulation_grows_with_its_chunks_not_with_the_square_of_its_slots() -> None:
    work = uniform(16_000_000, 16_000 * 20.0)
    began_s = time.process_time()
    result = run(work, Fleet.equal(1000, 16))
    assert time.process_time() - began_s < MOST_CPU_S
    assert result.exact
    assert result.chunks > 5 * 16_000
    assert result.elapsed_s < 1.2 * 20.0


@pytest.mark.parametrize("message_s", [0.001, 0.003])
def test_greenlets_that_wait_for_their_messages_get_no_backups(message_s: float) -> None:
    """The one process of a worker takes seconds to hand a thousand messages over."""
    fleet = Fleet((FleetHost.equal(1000, cores=1),), MessageCosts(host_s=message_s))
    result = run(mixed(10_000, total_s=1000.0, waiting=1.0), fleet)
    assert result.exact
    assert not result.counts.get("backups")


def test_chunks_that_waited_in_the_queue_for_long_are_not_slow() -> None:
    """Slots that share a core end their first chunks after half of the run; 1,485 of the others
    had a backup."""
    work = mixed(count=259_000, total_s=1850.0, waiting=0.9866)
    result = run(work, Fleet((FleetHost.equal(512, cores=1),) * 3))
    assert result.exact
    assert result.counts.get("backups", 0) < 15
