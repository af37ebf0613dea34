"""Celery workers that consume the queue of a pool without its task: others get the chunks."""

import pytest

from poolrace.producer.executors.celery.base_messages import Failure
from poolrace.producer.executors.celery.recovery import CHECK_S, LOST_S, MAX_LOSSES
from poolrace.producer.executors.celery.strays import ASK_S, FAST_REJECTIONS, MAX_REJECTIONS
from poolrace.workers.chunks import Chunk
from poolrace.workers.errors import ClusterError
from poolrace.workers.protocol import queue_of
from tests.unit.made_up_recovery import RecoverySetup


@pytest.fixture
def setup() -> RecoverySetup:
    prepared = RecoverySetup()
    prepared.messages.strays = {"celery@stray"}
    return prepared


NOT_REGISTERED = Failure("NotRegistered", "poolrace.compute", "")


def reject(setup: RecoverySetup) -> None:
    [batch] = setup.messages.in_flight
    setup.recovery.retry(batch, NOT_REGISTERED)


def test_a_chunk_that_a_stray_worker_took_goes_to_others_and_the_stray_is_named(
    setup: RecoverySetup,
) -> None:
    setup.messages.send((Chunk(0, 5),))
    for _ in range(FAST_REJECTIONS * MAX_LOSSES):
        reject(setup)
        [batch] = setup.messages.in_flight
        if batch.rejected:
            setup.check_every_second(until=setup.clock.now + LOST_S + CHECK_S)
    [batch] = setup.messages.in_flight
    assert (batch.attempts, batch.losses) == (0, 0)
    [note] = setup.recovery.notes
    assert note.what.startswith(f"celery@stray took chunks from queue {queue_of('solo')!r}")
    assert setup.messages.dismissed == {"celery@stray"}
    assert setup.messages.questions <= setup.clock.now / ASK_S + 1


def test_a_chunk_goes_back_and_forth_with_a_stray_worker_only_a_few_times_at_once(
    setup: RecoverySetup,
) -> None:
    setup.messages.send((Chunk(0, 5),))
    for _ in range(FAST_REJECTIONS):
        reject(setup)
    assert len(setup.messages.sent) == FAST_REJECTIONS
    setup.check_every_second(until=LOST_S + CHECK_S)
    assert len(setup.messages.sent) == FAST_REJECTIONS + 1


def test_a_chunk_that_vanishes_in_a_stray_worker_is_sent_again_until_another_takes_it(
    setup: RecoverySetup,
) -> None:
    """The stray worker has no result backend, so that it answers nothing."""
    setup.messages.send((Chunk(0, 5),))
    setup.check_every_second(until=2 * MAX_LOSSES * (LOST_S + CHECK_S))
    [batch] = setup.messages.in_flight
    assert (batch.losses, batch.attempts) == (1, 0)
    assert "celery@stray" in setup.recovery.notes[0].what
    with pytest.raises(ClusterError, match=r"celery@stray.*stop that worker"):
        setup.check_every_second(until=MAX_REJECTIONS * (LOST_S + 2 * CHECK_S))


def test_the_run_ends_if_only_a_stray_worker_takes_its_chunks(setup: RecoverySetup) -> None:
    batch = setup.messages.send((Chunk(0, 5),))
    batch.rejections = MAX_REJECTIONS - 1
    setup.workers.holding = {"another job's chunk": 0.0}
    reject(setup)  # a worker of the pool is busy, and will take the chunk later
    setup.workers.holding = {}
    with pytest.raises(ClusterError, match=r"celery@stray.*stop that worker"):
        reject(setup)
