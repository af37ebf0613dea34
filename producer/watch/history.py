"""The history of a watched cluster: past frames of each slot, and events. Pure."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from poolrace.producer.results.natural_order import natural_key
from poolrace.producer.watch.snapshot import SlotRow, Snapshot, WatchEvent, WorkerState

MAX_FRAMES = 120
"""Number of past frames that the timeline keeps."""

MAX_SLOTS = 16
"""Number of slots of a worker up to which each slot is a row of the timeline."""

MAX_ROWS = 64
"""Number of rows of the timeline at most. With more slots than rows, a row is a worker."""

MAX_EVENTS = 50
"""Number of events that are kept."""

RowKey = tuple[str, str | None, int]
"""A worker, the name of a slot (``None``: the whole worker), and a number for unnamed slots."""


@dataclass
class History:
    """Adds the timeline and the events to the snapshots of successive frames."""

    _slots: dict[str, list[str]] = field(default_factory=dict)
    """Names of the slots of each worker that had a batch, the longest idle one first."""
    _rows: dict[RowKey, deque[float | None]] = field(default_factory=dict)
    _events: deque[WatchEvent] = field(default_factory=lambda: deque(maxlen=MAX_EVENTS))
    _last: Snapshot | None = None

    def add(self, snapshot: Snapshot, clock: str) -> Snapshot:
        """Return the snapshot with timeline and events; ``clock`` is the time of its events."""
        if self._last is not None:
            self._events += [WatchEvent(clock, text) for text in changes(self._last, snapshot)]
        self._last = snapshot
        shown = self._shown(snapshot.workers)
        self._rows = {key: self._rows.get(key) or deque(maxlen=MAX_FRAMES) for key in shown}
        for key, (_, utilisation) in shown.items():
            self._rows[key].append(None if snapshot.error else utilisation)
        rows = tuple(
            SlotRow(key[0], key[1], shown[key][0], tuple(values))
            for key, values in self._rows.items()
        )
        return replace(snapshot, rows=rows, events=tuple(self._events))

    def _shown(self, workers: Sequence[WorkerState]) -> dict[RowKey, tuple[str, float]]:
        """Task id and utilisation of each row."""
        self._slots = {
            worker.name: _seen(self._slots.get(worker.name, []), worker) for worker in workers
        }
        shown = {key: row for worker in workers for key, row in self._rows_of(worker).items()}
        if len(shown) <= MAX_ROWS:
            return shown
        return {(worker.name, None, 0): _whole(worker) for worker in workers[:MAX_ROWS]}

    def _rows_of(self, worker: WorkerState) -> dict[RowKey, tuple[str, float]]:
        names = sorted(self._slots[worker.name], key=natural_key)
        count = max(worker.slots, len(worker.working or ()))
        if worker.working is None or not 0 < count <= MAX_SLOTS:
            return {(worker.name, None, 0): _whole(worker)}
        working = dict(worker.working)
        rows: dict[RowKey, tuple[str, float]] = {
            (worker.name, name, 0): (working.get(name, ""), float(name in working))
            for name in names
        }
        return rows | {(worker.name, "", n): ("", 0.0) for n in range(count - len(names))}


def _whole(worker: WorkerState) -> tuple[str, float]:
    return "", worker.busy / max(worker.slots, worker.busy, 1)


def _seen(before: Sequence[str], worker: WorkerState) -> list[str]:
    """The slots of the worker that had a batch; only the last ones of a restarted process count."""
    working = [name for name, _ in worker.working or ()]
    names = [name for name in before if name not in working] + working
    return names[-max(worker.slots, len(working)) :] if names else []


def changes(before: Snapshot, after: Snapshot) -> list[str]:
    """Descriptions of the changes of connection, workers and jobs between two snapshots."""
    if after.error or before.error:
        if bool(after.error) == bool(before.error):
            return []
        return ["Redis does not answer" if after.error else "Redis answers again"]
    old = {worker.name: worker for worker in before.workers}
    new = {worker.name: worker for worker in after.workers}
    texts = [f"worker {name} joined" for name in new if name not in old]
    texts += [f"worker {name} left" for name in old if name not in new]
    texts += [
        f"worker {name} is {worker.state}"
        for name, worker in new.items()
        if name in old and worker.state != old[name].state
    ]
    states = {job.job: job.state for job in before.jobs}
    texts += [
        f"job {job.job} is {job.state}" for job in after.jobs if states.get(job.job) != job.state
    ]
    return texts
