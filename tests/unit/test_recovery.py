"""The recovery of a job: lost batches are sent again, failed ones retried, slow ones backed up."""

import pytest

from poolrace.producer.errors import ChunkFailed
from poolrace.producer.executors.celery.base_messages import Failure, TaskResult
from poolrace.producer.executors.celery.in_flight import InFlight, InFlightBatch
from poolrace.producer.executors.celery.recovery import (
    CHECK_S,
    LOST_S,
    MAX_ATTEMPTS,
    MAX_LOSSES,
    OVERDUE_S,
)
from poolrace.producer.results.run import UntimedEvent
from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.errors import ChunkTimeout, ClusterError, UsageError
from poolrace.workers.runtime.presence import EXPIRE_S
from tests.unit.made_up_recovery import PATIENCE_S, WORKER, RecoverySetup


@pytest.fixture
def setup() -> RecoverySetup:
    return RecoverySetup()


TWO_CHUNKS = (Chunk(0, 5), Chunk(5, 9))


def test_a_lost_batch_is_sent_again_each_chunk_in_its_own_message(setup: RecoverySetup) -> None:
    setup.messages.send(TWO_CHUNKS)
    setup.check_every_second(until=LOST_S)
    assert setup.messages.sent == [TWO_CHUNKS]
    setup.check_every_second(until=LOST_S + CHECK_S)
    assert setup.messages.sent == [TWO_CHUNKS, TWO_CHUNKS[:1], TWO_CHUNKS[1:]]
    assert setup.recovery.counts == {"resent": 2}
    [event] = setup.recovery.events
    assert event == UntimedEvent("2 chunk(s) were lost and sent again", "resent")
    assert {batch.mark for batch in setup.messages.in_flight} == {"resent"}


def test_a_queued_batch_and_a_held_one_are_not_lost(setup: RecoverySetup) -> None:
    queued, held = setup.messages.send((Chunk(0, 5),)), setup.messages.send((Chunk(5, 9),))
    setup.queued = {queued.task_id}
    setup.workers.holding = {held.task_id: 0.5}
    setup.check_every_second(until=20.0)
    assert len(setup.messages.sent) == 2
    assert held.holder == WORKER
    assert queued.holder is None


def test_a_batch_that_was_sent_again_is_not_lost_with_its_first_worker_once_more(
    setup: RecoverySetup,
) -> None:
    """The dead worker's last announcement exists for longer than a batch is missed."""
    batch = setup.messages.send((Chunk(0, 5),))
    setup.workers.holding = {batch.task_id: 0.0}
    died_s, last_s = 5.0, 5.0 + EXPIRE_S
    while setup.clock.now < last_s:
        setup.workers.holding[batch.task_id] = max(0.0, setup.clock.now - died_s)
        setup.check_every_second(until=setup.clock.now + CHECK_S)
        if len(setup.messages.sent) == 2:
            setup.queued = {batch.task_id}
    assert setup.messages.sent == [(Chunk(0, 5),)] * 2
    [waits] = setup.messages.in_flight
    assert waits.holder is None


def test_a_chunk_that_is_lost_too_often_fails_the_job(setup: RecoverySetup) -> None:
    setup.messages.send((Chunk(0, 5),))
    with pytest.raises(ChunkFailed, match=rf"\[0, 5\) was lost {MAX_LOSSES} times"):
        setup.check_every_second(until=MAX_LOSSES * (LOST_S + CHECK_S))


def test_a_loss_with_an_emptied_redis_does_not_count_against_the_chunk(
    setup: RecoverySetup,
) -> None:
    setup.messages.send((Chunk(0, 5),))
    setup.checkpoints.redis_emptied_at = 1.0
    setup.check_every_second(until=LOST_S + CHECK_S)
    [batch] = setup.messages.in_flight
    assert len(setup.messages.sent) == 2
    assert batch.losses == 0


def test_time_in_which_no_check_could_run_makes_no_batch_lost(setup: RecoverySetup) -> None:
    setup.messages.send((Chunk(0, 5),))
    setup.clock.now = 100.0  # Redis was away
    setup.recovery.check()
    assert len(setup.messages.sent) == 1


def test_a_result_that_was_not_delivered_is_read_and_its_batch_not_sent_again(
    setup: RecoverySetup,
) -> None:
    batch = setup.messages.send((Chunk(0, 5),))
    stored = TaskResult(batch.task_id, [])
    setup.messages.stored = [stored]
    assert setup.check_every_second(until=LOST_S + CHECK_S) == [stored]
    assert setup.messages.subscriptions == 1
    assert len(setup.messages.sent) == 1


def test_workers_that_take_nothing_from_the_queue_end_the_run(setup: RecoverySetup) -> None:
    batch = setup.messages.send((Chunk(0, 5),))
    setup.queued = {batch.task_id}
    setup.check_every_second(until=PATIENCE_S)
    setup.recovery.note_progress()
    setup.check_every_second(until=2 * PATIENCE_S)
    with pytest.raises(ClusterError, match="have taken nothing from queue 'solo' for 60 s"):
        setup.check_every_second(until=2 * PATIENCE_S + 3 * CHECK_S)


def test_workers_that_do_not_respond_are_not_said_to_take_nothing(setup: RecoverySetup) -> None:
    batch = setup.messages.send((Chunk(0, 5),))
    setup.queued = {batch.task_id}
    setup.workers.responding = False
    setup.check_every_second(until=2 * PATIENCE_S)
    setup.workers.responding = True
    setup.check_every_second(until=3 * PATIENCE_S)


def test_a_chunk_that_runs_far_beyond_its_time_limit_hangs() -> None:
    setup = RecoverySetup(time_limit_s=2.0)
    batch = setup.messages.send((Chunk(0, 5),))
    setup.workers.holding = {batch.task_id: 0.0}
    setup.check_every_second(until=2.0 + OVERDUE_S)
    with pytest.raises(ChunkTimeout, match=r"\[0, 5\) hangs on solo@here"):
        setup.check_every_second(until=2.0 + OVERDUE_S + 5 * CHECK_S)


def test_a_failed_chunk_is_retried_a_limited_number_of_times(setup: RecoverySetup) -> None:
    setup.messages.send((Chunk(0, 5),))
    failure = Failure("ZeroDivisionError", "division by zero", "Traceback\non host there")
    for attempt in range(2, MAX_ATTEMPTS + 1):
        [batch] = setup.messages.in_flight
        setup.recovery.retry(batch, failure)
        event = setup.recovery.events[-1]
        assert (event.kind, event.host) == ("retried", "there")
        assert f"attempt {attempt} follows" in event.what
    [batch] = setup.messages.in_flight
    with pytest.raises(ChunkFailed, match=r"\[0, 5\) failed 3 time.*on there: ZeroDivisionError"):
        setup.recovery.retry(batch, failure)
    assert setup.recovery.counts == {"retries": MAX_ATTEMPTS - 1}


@pytest.mark.parametrize(("kind", "logged"), [("ChunkTimeout", False), ("ZeroDivisionError", True)])
def test_only_an_error_of_the_chunks_code_is_shown_with_its_traceback(
    kind: str, logged: bool, setup: RecoverySetup, caplog: pytest.LogCaptureFixture
) -> None:
    batch = setup.messages.send((Chunk(0, 5),))
    batch.attempts = MAX_ATTEMPTS - 1
    with pytest.raises((ChunkFailed, ChunkTimeout), match=kind):
        setup.recovery.retry(batch, Failure(kind, "too long", "Traceback\non host there"))
    assert ("the last traceback of chunk [0, 5)" in caplog.text) is logged


def test_a_wrong_parameter_is_not_retried(setup: RecoverySetup) -> None:
    batch = setup.messages.send((Chunk(0, 5),))
    with pytest.raises(UsageError, match="no such kernel"):
        setup.recovery.retry(batch, Failure("UsageError", "no such kernel", ""))


def finish(
    in_flight: InFlight, batch: InFlightBatch, duration_s: float, waited_s: float = 0.0
) -> None:
    results = [
        ChunkResult(chunk, 1, duration_s, duration_s, 0.0, "here", "1.0") for chunk in batch.chunks
    ]
    in_flight.mark_done(batch, results, now=batch.sent_at + waited_s + duration_s)


def test_a_slow_batch_is_sent_to_an_idle_slot_once(setup: RecoverySetup) -> None:
    done, slow = setup.messages.send((Chunk(0, 5),)), setup.messages.send((Chunk(5, 10),))
    finish(setup.messages.in_flight, done, duration_s=1.0)
    setup.workers.holding = {slow.task_id: 0.0}
    setup.check_every_second(until=10.0)
    setup.recovery.back_up(idle_slots=0)
    setup.queued = {slow.task_id}
    setup.recovery.back_up(idle_slots=1)
    assert len(setup.messages.sent) == 2  # behind the batches of another job, or no slot is idle
    setup.queued = set()
    setup.recovery.back_up(idle_slots=1)
    assert len(setup.messages.sent) == 2  # it has just left the queue
    setup.check_every_second(until=13.0)
    setup.recovery.back_up(idle_slots=1)
    setup.recovery.back_up(idle_slots=1)
    assert setup.messages.sent[2:] == [(Chunk(5, 10),)]
    assert setup.recovery.counts == {"backups": 1}


def test_only_slow_batches_are_backed_up_and_no_more_than_slots_are_idle() -> None:
    in_flight = InFlight()
    for number in range(4):
        chunk = Chunk(10 * number, 10 * number + 10)
        in_flight.mark_sent(str(number), (chunk,), now=float(number))
    first, *others = in_flight
    assert in_flight.slow(now=1000.0, most=4) == []  # nothing to compare with
    finish(in_flight, first, duration_s=1.0)
    assert in_flight.slow(now=3.0, most=4) == []
    assert in_flight.slow(now=4.5, most=4) == others[:2]
    assert in_flight.slow(now=9.0, most=1) == others[:1]
    assert in_flight.slow(now=9.0, most=0) == []
    for batch in others:
        batch.backed_up = True
    assert in_flight.slow(now=9.0, most=4) == []


def test_no_batch_is_slow_that_waits_as_long_as_the_others_did() -> None:
    in_flight = InFlight()
    for number in range(100):
        batch = in_flight.mark_sent(str(number), (Chunk(number, number + 1),), now=0.0)
        finish(in_flight, batch, duration_s=0.1, waited_s=2.0)
    batch = in_flight.mark_sent("last", (Chunk(100, 101),), now=0.0)
    assert in_flight.slow(now=4.1, most=1) == []
    assert in_flight.slow(now=4.3, most=1) == [batch]


def test_a_batch_that_was_sent_twice_says_nothing_about_the_wait_of_others() -> None:
    in_flight = InFlight()
    batch = in_flight.mark_sent("stalled", (Chunk(0, 1),), now=0.0)
    batch.mark = "backup"
    finish(in_flight, batch, duration_s=0.1, waited_s=60.0)
    batch = in_flight.mark_sent("next", (Chunk(1, 2),), now=60.0)
    assert in_flight.slow(now=60.5, most=1) == [batch]


def test_excluded_time_makes_no_batch_slow() -> None:
    in_flight = InFlight()
    finish(in_flight, in_flight.mark_sent("a", (Chunk(0, 10),), now=0.0), duration_s=1.0)
    batch = in_flight.mark_sent("b", (Chunk(10, 20),), now=0.0)
    in_flight.mark_seen(batch, WORKER, 0.0)
    in_flight.exclude_time(100.0)
    assert in_flight.slow(now=101.0, most=1) == []
    assert in_flight.slow(now=105.0, most=1) == [batch]
