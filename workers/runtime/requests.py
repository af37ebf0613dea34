"""The batches of a worker: which ones it holds, which slots compute, how many chunks it began."""

import os
from typing import Any

from celery.worker import state
from celery.worker.request import Request

from poolrace.workers.compute import slot_name, taken_slots
from poolrace.workers.runtime.presence import Work

_chunks_begun = [0]


class CountingRequest(Request):  # type: ignore[misc] # Celery ships no types
    """Celery's request for a task; counts the chunks of the batches that begin.

    All pools call ``on_accepted`` in the worker's own process, also prefork. It costs 0.3 us.
    """

    def on_accepted(self, pid: int, time_accepted: float) -> None:
        """Count the chunks of the batch, which the pool has begun."""
        super().on_accepted(pid, time_accepted)
        _chunks_begun[0] += _number_of_chunks(self._args)


def current_work() -> Work:
    """The batches that this worker holds, the slots that compute, and the chunks begun."""
    requests = list(state.requests.values())  # one step, while other threads change the dict
    own = os.getpid()
    # A prefork process has one slot; the slots of all other pools are in this process.
    children = {
        slot_name(request.worker_pid, 0): request.id
        for request in requests
        if request.worker_pid not in (None, own)
    }
    return Work([request.id for request in requests], children | taken_slots(), _chunks_begun[0])


def _number_of_chunks(arguments: Any) -> int:
    """Number of ranges in the arguments of the task; 0 for a malformed message."""
    try:
        return len(arguments[3])
    except (IndexError, KeyError, TypeError):
        return 0
