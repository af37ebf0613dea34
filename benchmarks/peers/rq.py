"""RQ: ``enqueue_many``, and ``latest_result`` of each job.

RQ's worker forks a process for each job, as its documentation recommends.
"""

from collections.abc import Sequence
from contextlib import ExitStack

from redis import Redis
from rq import Queue

from benchmarks.peers.base import SLOTS, ChunkPeer
from benchmarks.services import redis_url, service
from benchmarks.work import Bounds, run

RESULT_S = 600
"""Seconds to wait for the result of a job."""


class Rq(ChunkPeer):
    """An RQ worker pool of two workers."""

    def connect(self, opened: ExitStack) -> None:
        """Start the pool."""
        command = ("rq.cli", "worker-pool", "-q", "-n", str(SLOTS))
        # The URL is passed in a variable, because its password must not be on a command line.
        opened.enter_context(service(*command, RQ_REDIS_URL=redis_url()))
        self._queue = Queue(connection=opened.enter_context(Redis.from_url(redis_url())))

    def values(self, kernel: str, chunks: Sequence[Bounds]) -> Sequence[int]:
        """The values of the chunks, in order; raises ``RuntimeError`` for a job without a value."""
        calls = [Queue.prepare_data(run, (kernel, *chunk), timeout=RESULT_S) for chunk in chunks]
        values = []
        for job in self._queue.enqueue_many(calls):
            result = job.latest_result(timeout=RESULT_S)
            if result is None or result.return_value is None:
                raise RuntimeError(f"job {job.id} gave no value: {result}")
            values.append(int(result.return_value))
        return values
