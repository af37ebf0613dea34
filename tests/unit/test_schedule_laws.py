"""Every schedule ends near the lower bound of its time, on any fleet: simulated in virtual time.

The dispatch, the schedules, the batches, the recovery and the ledger are those of real runs.
``LAW_EXAMPLES=10 make test`` simulates ten times as many fleets.

``auto`` is held to the lower bound, one shortest chunk, the messages of ``MESSAGES`` chunks, and:

- 3 % on equal slots, if each slot computes for 0.3 s or longer;
- 3 % on unequal slots, if a slot has 2 s of work or more, and 10 % from 0.5 s on. In shorter jobs
  a slot has 15 or more chunks of 12 to 25 ms, and each costs 1.4 ms of messages;
- 10 % for indices of unknown, heavy-tailed durations: the chunk that contains the longest index
  contains others, too, and no result tells so before it;
- 10 % where the first indices take 10 to 10,000 times less than the others, or each takes longer
  than the one before it, and ``auto`` does not know that: from 0.5 s on;
- 15 % where slots share a core, if all indices wait and compute equally long; ``SHARED_MESSAGES``
  take the place of ``MESSAGES``. Where computing takes most of the core, each further message
  delays it. 35 % if one index in four takes ten times as long, and ``auto`` does not know which,
  from 3 s and 30 indices per slot on;
- 10 % where a slot is ten times slower, from 0.5 s on, and where one stalls or dies, from 3 s on:
  a chunk is sent again after twice its duration and 0.2 s, about 0.7 s after its slot died.

The costs of messages are the defaults. ``auto`` expects those: with hundreds of slots, and 0.3 ms
or more per message in Redis or in the producer, jobs took up to three times the bound.

Shorter jobs have no law. With 0.1 to 0.3 s of work per slot, jobs took 1.2 times the bound
on average on equal slots, and 1.8 times if a slot is ten times slower. Neither have indices of
unknown durations on slots of which half are ten times slower: in jobs of less than 0.8 s per slot,
some took more than twice the bound.
"""

import math
import os
import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poolrace.producer.executors.celery.in_flight import BATCH_CHUNKS, BATCH_S
from poolrace.producer.executors.simulated.fleet import Fleet, FleetHost, MessageCosts, SlotSpeed
from poolrace.producer.jobs.schedules import ScheduleChoice
from poolrace.producer.jobs.slot_speeds import SHORTEST_CHUNK_S
from tests.unit.made_up_fleets import (
    Work,
    cheap_first,
    growing,
    heavy_tailed,
    linear,
    lower_bound_s,
    message_s,
    mixed,
    run,
    shared_cores_bound_s,
    shared_message_s,
    shortest_chunk_s,
    uniform,
)

EXAMPLES = int(os.environ.get("LAW_EXAMPLES", "1"))
"""Factor by which more fleets are simulated than in ``make test``."""

MESSAGES = 8
"""Messages that each slot needs: ``auto`` learns its speed, and evens out the end. A job of 0.2 s
has as many of its shortest chunks."""

MISJUDGED_BATCH = 0.2
"""Part of a slot's work that its last batch takes, if the chunks before it took almost no time."""

SHARED_MESSAGES = 4
"""Messages that each slot needs which shares a core: fewer, since they delay the others' work."""


def in_orders_of_magnitude(least: float, most: float) -> st.SearchStrategy[float]:
    """Numbers of which small and large ones are equally likely."""
    return st.floats(0.0, 1.0).map(lambda share: least * (most / least) ** share)


SLOTS = st.floats(0.0, 1.0).map(lambda share: int(2 * 256.4 ** (share * share)))
"""2 to 512 slots; half of the fleets have less than ten, which take less time to simulate."""
HOSTS = st.integers(1, 4)
SLOTS_PER_HOST = st.sampled_from((1, 2, 4, 16, 64))
STEADY_SPEEDS = st.sampled_from(((1.0, 1.0), (0.5, 2.0)))
KNOWN = ("uniform", "waits", "linear")
"""Kinds of work whose indices take the time that ``auto`` expects of them."""


@st.composite
def works(
    draw: st.DrawFn, slots: int, share_s: float, kinds: Sequence[str] = (*KNOWN, "heavy")
) -> Work:
    """Work that takes each of these slots ``share_s`` seconds."""
    kind, total_s = draw(st.sampled_from(kinds)), slots * share_s
    per_slot = draw(in_orders_of_magnitude(20, 2000))
    count = int(slots * per_slot)
    if kind == "uniform":
        return uniform(round(count * draw(in_orders_of_magnitude(1, 1e5))), total_s)
    if kind == "waits":
        return uniform(count, total_s, waits=True)
    if kind == "linear":
        return linear(count, total_s)
    if kind == "growing":
        return growing(min(count, 20_000), total_s, draw(st.floats(0.5, 3.0)))
    if kind == "cheap first":
        count = min(count, 20_000)
        cheap = draw(st.integers(1, 8) | st.integers(1, count // 2))
        return cheap_first(count, total_s, cheap, draw(in_orders_of_magnitude(10, 1e4)))
    return heavy_tailed(min(count, 20_000), total_s, draw(st.integers(0, 10**6)))


def fleet_of(speeds: Sequence[SlotSpeed], per_host: int, *also: FleetHost) -> Fleet:
    """A fleet of these slots, and of further hosts."""
    starts = range(0, len(speeds), per_host)
    return Fleet((*(FleetHost(tuple(speeds[at : at + per_host])) for at in starts), *also))


def require_near_the_bound(work: Work, fleet: Fleet, share: float) -> None:
    result = run(work, fleet)
    assert result.exact
    most_s = (1 + share) * lower_bound_s(work, fleet) + shortest_chunk_s(work, fleet)
    assert result.elapsed_s <= most_s + message_s(fleet, MESSAGES)


@settings(max_examples=350 * EXAMPLES)
@given(data=st.data())
def test_auto_ends_within_3_percent_on_equal_slots(data: st.DataObject) -> None:
    slots, share_s = data.draw(SLOTS), data.draw(in_orders_of_magnitude(0.3, 8.0))
    work = data.draw(works(slots, share_s, KNOWN))
    fleet = fleet_of([SlotSpeed()] * slots, data.draw(SLOTS_PER_HOST))
    require_near_the_bound(work, fleet, 0.03)


@settings(max_examples=300 * EXAMPLES)
@given(data=st.data())
def test_auto_ends_within_3_percent_on_unequal_slots(data: st.DataObject) -> None:
    slots, share_s = data.draw(SLOTS), data.draw(in_orders_of_magnitude(0.5, 8.0))
    chance = random.Random(data.draw(st.integers(0, 10**6)))
    speeds = [SlotSpeed(chance.uniform(0.5, 2.0)) for _ in range(slots)]
    work = data.draw(works(slots, share_s, KNOWN))
    fleet = fleet_of(speeds, data.draw(SLOTS_PER_HOST))
    require_near_the_bound(work, fleet, 0.03 if share_s >= 2.0 else 0.10)


@settings(max_examples=120 * EXAMPLES)
@given(data=st.data())
def test_auto_ends_within_10_percent_with_indices_of_unknown_durations(data: st.DataObject) -> None:
    slots, share_s = data.draw(SLOTS), data.draw(in_orders_of_magnitude(1.2, 8.0))
    least, most = data.draw(STEADY_SPEEDS)
    chance = random.Random(data.draw(st.integers(0, 10**6)))
    speeds = [SlotSpeed(chance.uniform(least, most)) for _ in range(slots)]
    work = data.draw(works(slots, share_s, ("heavy",)))
    require_near_the_bound(work, fleet_of(speeds, data.draw(SLOTS_PER_HOST)), 0.10)


@settings(max_examples=150 * EXAMPLES)
@given(data=st.data())
def test_auto_ends_within_10_percent_where_the_first_indices_are_cheap(data: st.DataObject) -> None:
    """What the first results say of the speed is wrong, by up to a factor of 10,000."""
    slots, share_s = data.draw(SLOTS), data.draw(in_orders_of_magnitude(0.5, 8.0))
    work = data.draw(works(slots, share_s, ("cheap first", "growing")))
    fleet = fleet_of([SlotSpeed()] * slots, data.draw(SLOTS_PER_HOST))
    require_near_the_bound(work, fleet, 0.10)


@settings(max_examples=100 * EXAMPLES)
@given(data=st.data())
def test_auto_ends_within_10_percent_where_a_slot_is_ten_times_slower(data: st.DataObject) -> None:
    slots, share_s = data.draw(SLOTS), data.draw(in_orders_of_magnitude(0.5, 2.0))
    speeds = [SlotSpeed(0.1), *[SlotSpeed()] * (slots - 1)]
    work = data.draw(works(slots, share_s))
    require_near_the_bound(work, fleet_of(speeds, data.draw(SLOTS_PER_HOST)), 0.10)


@settings(max_examples=70 * EXAMPLES)
@given(data=st.data())
def test_auto_ends_within_10_percent_where_slots_drift_or_one_stalls(data: st.DataObject) -> None:
    slots, share_s = data.draw(SLOTS), data.draw(in_orders_of_magnitude(3.0, 8.0))
    chance = random.Random(data.draw(st.integers(0, 10**6)))
    speeds = [
        SlotSpeed(1.0, tuple((share_s * n / 8, chance.uniform(0.5, 1.5)) for n in range(16)))
        for _ in range(slots)
    ]
    if data.draw(st.booleans()):
        stalls_s = share_s * data.draw(st.floats(0.1, 0.8))
        stalled = ((stalls_s, 0.0), (stalls_s + data.draw(st.floats(1.0, 60.0)), 1.0))
        speeds = [SlotSpeed(1.0, stalled), *[SlotSpeed()] * (slots - 1)]
    work = data.draw(works(slots, share_s))
    require_near_the_bound(work, fleet_of(speeds, data.draw(SLOTS_PER_HOST)), 0.10)


@settings(max_examples=80 * EXAMPLES)
@given(data=st.data())
def test_auto_ends_within_10_percent_where_a_slot_dies_half_way(data: st.DataObject) -> None:
    slots, share_s = data.draw(SLOTS), data.draw(in_orders_of_magnitude(3.0, 8.0))
    dying = FleetHost((SlotSpeed(),), dies_s=share_s * data.draw(st.floats(0.3, 0.7)))
    speeds = [SlotSpeed()] * (slots - 1)
    work = data.draw(works(slots, share_s))
    require_near_the_bound(work, fleet_of(speeds, data.draw(SLOTS_PER_HOST), dying), 0.10)


@settings(max_examples=50 * EXAMPLES)
@given(data=st.data())
@pytest.mark.parametrize(("is_known", "share"), [(True, 0.15), (False, 0.35)])
def test_auto_ends_near_the_bound_where_slots_wait_and_share_a_core(
    data: st.DataObject, *, is_known: bool, share: float
) -> None:
    """As on greenlets or threads: all slots together would use 0.01 to 10 cores of a process."""
    per_host = data.draw(st.sampled_from((2, 4, 8, 16, 64, 100, 256, 512)))
    hosts, cores = data.draw(HOSTS), data.draw(in_orders_of_magnitude(0.01, 10.0))
    bound_s = data.draw(in_orders_of_magnitude(0.3 if is_known else 3.0, 10.0))
    computing = min(cores / per_host, 1.0)
    total_s = bound_s * hosts * per_host / max(per_host * computing, 1.0)
    count = int(hosts * per_host * data.draw(in_orders_of_magnitude(3 if is_known else 30, 300)))
    seed = None if is_known else data.draw(st.integers(0, 10**6))
    work = mixed(count, total_s, 1.0 - computing, seed)
    fleet = Fleet((FleetHost.equal(per_host, cores=1),) * hosts)
    result = run(work, fleet)
    assert result.exact
    messages_s = SHARED_MESSAGES * shared_message_s(fleet)
    least_s = shared_cores_bound_s(work, fleet) + max(work.longest_s, SHORTEST_CHUNK_S)
    assert result.elapsed_s <= (1 + share) * least_s + messages_s


@settings(max_examples=650 * EXAMPLES)
@given(data=st.data())
def test_every_other_schedule_keeps_the_bound_of_list_scheduling(data: st.DataObject) -> None:
    """Graham, Bounds on Multiprocessing Timing Anomalies (1969): as the free slots take the
    chunks in turn, none begins after the mean end, and the last ends a longest chunk later."""
    name = data.draw(st.sampled_from(("static", "dynamic", "guided")))
    slots, share_s = data.draw(SLOTS), data.draw(in_orders_of_magnitude(0.3, 6.0))
    least, most = data.draw(STEADY_SPEEDS)
    chance = random.Random(data.draw(st.integers(0, 10**6)))
    speeds = [SlotSpeed(chance.uniform(least, most)) for _ in range(slots)]
    fleet = fleet_of(speeds, data.draw(SLOTS_PER_HOST))
    count, total_s = data.draw(st.integers(slots, 2000)), slots * share_s
    cheap = data.draw(st.sampled_from((0, data.draw(st.integers(0, count // 2)))))
    work = cheap_first(count, total_s, cheap, data.draw(in_orders_of_magnitude(10, 1e4)))
    choice = ScheduleChoice(name)
    result = run(work, fleet, choice)
    chunks = [*choice.make(count).chunks(0, count, slots)]
    longest_s = max(sum(work.times(chunk.start, chunk.stop)) for chunk in chunks)
    slowest = min(slot.speed for slot in speeds)
    # A batch of several chunks is one chunk to a slot.
    batch_s = MISJUDGED_BATCH * share_s if cheap else BATCH_S
    last_s = (longest_s + batch_s) / slowest
    messages = MESSAGES + len(chunks) // slots
    assert result.exact
    assert (
        result.elapsed_s <= lower_bound_s(work, fleet) + last_s + message_s(fleet, messages) + 0.2
    )


@settings(max_examples=30 * EXAMPLES)
@given(data=st.data())
def test_short_chunks_take_few_messages_on_hosts_of_many_slots(data: st.DataObject) -> None:
    """One process handles the messages of all slots of such a host, 1 ms each.

    A batch may have half of what is left for a slot, so the work left falls by a factor of e while
    each slot gets two.
    """
    per_host, hosts = data.draw(st.sampled_from((64, 100, 256, 512, 1000))), data.draw(HOSTS)
    slots, cores = per_host * hosts, data.draw(st.sampled_from((1, None)))
    count = int(slots * data.draw(in_orders_of_magnitude(3, 20)))
    work = uniform(count, count * data.draw(in_orders_of_magnitude(1e-7, 1e-5)))
    fleet = Fleet((FleetHost.equal(per_host, cores=cores),) * hosts)
    result = run(work, fleet, ScheduleChoice("dynamic", chunk_size=1))
    messages = result.producer_s / (fleet.costs.send_s + fleet.costs.receive_s)
    assert result.exact
    assert messages <= slots * (2 + 2 * math.log(count / slots)) + count / BATCH_CHUNKS


@settings(max_examples=400 * EXAMPLES)
@given(data=st.data())
def test_a_run_is_exact_whatever_is_lost(data: st.DataObject) -> None:
    """Messages and results are lost; hosts join, leave and die. One host stays."""
    slots, share_s = data.draw(st.integers(1, 6)), data.draw(st.floats(0.1, 6.0))
    times = st.floats(0.1, 8.0)
    hosts = [FleetHost.equal(slots)]
    for _ in range(data.draw(st.integers(0, 5))):
        joins_s = data.draw(st.sampled_from((0.0, data.draw(times))))
        ends_s, dies = joins_s + data.draw(times), data.draw(st.booleans())
        leaves_s, dies_s = (math.inf, ends_s) if dies else (ends_s, math.inf)
        hosts.append(FleetHost((SlotSpeed(),) * slots, joins_s, leaves_s, dies_s))
    lost, lost_results = data.draw(st.floats(0.0, 0.2)), data.draw(st.floats(0.0, 0.2))
    costs = MessageCosts(jitter_s=0.01, lost=lost, lost_results=lost_results)
    work = data.draw(works(slots * len(hosts), share_s))
    assert run(work, Fleet(tuple(hosts), costs, data.draw(st.integers(0, 99)))).exact


@pytest.mark.parametrize("name", ["auto", "static", "dynamic", "guided"])
def test_the_same_seed_gives_the_same_run_and_another_seed_another(name: str) -> None:
    choice, costs = ScheduleChoice(name), MessageCosts(jitter_s=0.002, lost=0.02)
    work = uniform(10**6, 30.0)
    first, same, other = (
        run(work, Fleet((FleetHost.equal(4),) * 3, costs, seed), choice) for seed in (1, 1, 2)
    )
    assert first == same
    assert first.elapsed_s != other.elapsed_s
