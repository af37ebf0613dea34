"""The rule that keeps a job alive: what has been nowhere for a while is sent again."""

from collections import deque

import pytest

from poolrace.producer.executors.celery.in_flight import (
    BATCH_BYTES,
    BATCH_CHUNKS,
    BATCH_S,
    FRESH_S,
    MISSING_S,
    InFlight,
    describe,
)
from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.runtime.presence import Presence

CHUNK = Chunk(0, 10)
PARCEL = (CHUNK,)


@pytest.fixture
def worker() -> Presence:
    return Presence("solo@here", "solo", 1, 1, "2026-01-01", HostFacts.collect("here"))


@pytest.fixture
def flights() -> InFlight:
    flights = InFlight()
    flights.sent("a", PARCEL, now=0.0)
    return flights


def result(chunk: Chunk, duration_s: float, value: int = 1) -> ChunkResult:
    return ChunkResult(chunk, value, duration_s, duration_s, 0.0, "here", "1.0")


def land(flights: InFlight, task_id: str, duration_s: float, value: int = 1) -> None:
    flight = flights.get(task_id)
    assert flight is not None
    flights.done(flight, [result(chunk, duration_s, value) for chunk in flight.batch])


def test_nobody_looks_for_a_chunk_that_was_just_sent(flights: InFlight) -> None:
    assert flights.stale(FRESH_S) == []
    assert [flight.task_id for flight in flights.stale(FRESH_S + 1)] == ["a"]


def test_a_chunk_that_is_nowhere_is_missing_and_one_that_is_seen_is_not(
    flights: InFlight, worker: Presence
) -> None:
    [flight] = flights
    assert flights.missing(MISSING_S) == []
    assert flights.missing(MISSING_S + 1) == [flight]
    flights.found(flight, None, MISSING_S)
    flights.found(flight, worker, 2 * MISSING_S)
    assert flights.missing(3 * MISSING_S) == []
    flights.sent("a", PARCEL, now=9 * MISSING_S)
    assert flights.missing(9 * MISSING_S) == []


def test_time_in_which_nobody_could_look_does_not_count(flights: InFlight) -> None:
    flights.unwatched(-5.0)
    flights.unwatched(10.0)
    assert flights.missing(10.0 + MISSING_S) == []
    assert len(flights.missing(11.0 + MISSING_S)) == 1


def test_time_in_which_nobody_could_look_makes_no_chunk_slow(
    flights: InFlight, worker: Presence
) -> None:
    land(flights, "a", duration_s=1.0)
    flight = flights.sent("b", PARCEL, now=0.0)
    flights.found(flight, worker, 0.0)
    flights.unwatched(100.0)
    assert flights.slow(now=101.0, idle=1) == []
    assert flights.slow(now=105.0, idle=1) == [flight]


def test_a_chunk_is_held_since_a_worker_has_it(flights: InFlight, worker: Presence) -> None:
    [flight] = flights
    for now in (1.0, 2.0, 3.0):
        flights.found(flight, worker, now)
    assert flight.held_since == 1.0


def test_only_slow_chunks_are_backed_up_and_no_more_than_slots_are_idle(worker: Presence) -> None:
    flights = InFlight()
    for number in range(4):
        flights.sent(str(number), (Chunk(10 * number, 10 * number + 10),), now=0.0)
    assert flights.slow(now=1000.0, idle=4) == []  # nothing to compare with
    land(flights, "0", duration_s=1.0)
    assert flights.slow(now=1000.0, idle=4) == []  # queued ones are not slow
    for number, flight in enumerate(flights):
        flights.found(flight, worker, float(number))
    assert flights.slow(now=4.0, idle=4) == []
    assert [flight.task_id for flight in flights.slow(now=5.5, idle=4)] == ["1", "2"]
    assert [flight.task_id for flight in flights.slow(now=9.0, idle=1)] == ["1"]
    assert flights.slow(now=9.0, idle=0) == []
    for flight in flights:
        flight.backed_up = True
    assert flights.slow(now=9.0, idle=4) == []


def test_what_landed_is_under_way_no_more(flights: InFlight) -> None:
    [flight] = flights
    flights.done(flight, [result(CHUNK, duration_s=1.0)])
    flights.done(flight, [result(CHUNK, duration_s=1.0)])
    assert len(flights) == 0
    assert flights.get("a") is None


def waiting(count: int, size: int = 10) -> deque[Chunk]:
    return deque(Chunk(size * number, size * number + size) for number in range(count))


def test_before_any_result_each_chunk_has_a_parcel_of_its_own() -> None:
    assert InFlight().pack(waiting(1000), slots=2) == PARCEL


def test_short_chunks_share_a_parcel_as_long_as_it_stays_short() -> None:
    flights = InFlight()
    for number in range(30):
        flights.sent(str(number), PARCEL, now=0.0)
        land(flights, str(number), duration_s=BATCH_S / 10)
    left = waiting(1000)
    assert len(flights.pack(left, slots=2)) == 9  # a little less than ten
    assert len(left) == 991
    assert len(flights.pack(waiting(6), slots=2)) == 3  # no slot idles while another has many
    for number in range(30):
        flights.sent(str(number), PARCEL, now=0.0)
        land(flights, str(number), duration_s=0.0)
    assert len(flights.pack(waiting(100_000), slots=2)) == BATCH_CHUNKS


def test_long_chunks_share_no_parcel_though_those_before_were_short() -> None:
    flights = InFlight()
    flights.sent("a", (Chunk(0, 1),), now=0.0)
    land(flights, "a", duration_s=0.001)
    assert len(flights.pack(waiting(10, size=1_000_000), slots=1)) == 1


def test_chunks_with_large_values_share_no_parcel(flights: InFlight) -> None:
    land(flights, "a", duration_s=0.0, value=1 << (4 * BATCH_BYTES))
    assert len(flights.pack(waiting(1000), slots=1)) == 1


def test_a_parcel_says_what_is_in_it() -> None:
    assert describe((Chunk(0, 5),)) == "[0, 5)"
    assert describe((Chunk(0, 5), Chunk(5, 9))) == "[0, 9) in 2 chunks"
