"""The batches of a worker: which ones it holds, which slots compute, how many chunks it began."""

from typing import Any

from celery.worker import state
from celery.worker.request import Request

from poolrace.workers.chunks import number_of_chunks
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


def current_work(pool: str) -> Work:
    """The batches that this worker of ``pool`` holds, the slots that compute, the chunks begun."""
    requests = list(state.requests.values())  # one step, while other threads change the dict
    if pool == "prefork":  # each process has one slot
        working = {
            slot_name(request.worker_pid, 0): request.id
            for request in requests
            if request.worker_pid is not None
        }
    else:  # the slots are in this process; Celery's ``worker_pid`` may be a greenlet's number
        working = taken_slots()
    return Work([request.id for request in requests], working, _chunks_begun[0])


def _number_of_chunks(arguments: Any) -> int:
    """Number of chunks in the arguments of the task; 0 for a malformed message."""
    try:
        return number_of_chunks(arguments[3])
    except (IndexError, KeyError, TypeError, ValueError):
        return 0
