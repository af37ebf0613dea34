"""The history of a watched cluster: past frames of each slot, and events. Pure."""

from collections import deque
from dataclasses import dataclass, field, replace

from poolrace.producer.broker.workers import SILENT_S
from poolrace.producer.watch.snapshot import SlotRow, Snapshot, WatchEvent, WorkerState

MAX_FRAMES = 120
"""Number of past frames that the timeline keeps."""

MAX_ROWS = 64
"""Number of rows of the timeline at most. With more slots than rows, a row is a worker."""

MAX_EVENTS = 50
"""Number of events that are kept."""

RowKey = tuple[str, int | None]


@dataclass
class History:
    """Adds the timeline and the events to the snapshots of successive frames."""

    _slots: dict[str, list[str]] = field(default_factory=dict)
    _rows: dict[RowKey, deque[float | None]] = field(default_factory=dict)
    _events: deque[WatchEvent] = field(default_factory=lambda: deque(maxlen=MAX_EVENTS))
    _last: Snapshot | None = None

    def add(self, snapshot: Snapshot, clock: str) -> Snapshot:
        """Return the snapshot with timeline and events; ``clock`` is the time of its events."""
        if self._last is not None:
            self._events += [WatchEvent(clock, text) for text in changes(self._last, snapshot)]
        self._last = snapshot
        shown = self._shown(snapshot)
        self._rows = {key: self._rows.get(key) or deque(maxlen=MAX_FRAMES) for key in shown}
        for key, (_, utilisation) in shown.items():
            self._rows[key].append(None if snapshot.error else utilisation)
        rows = tuple(
            SlotRow(name, slot, shown[name, slot][0], tuple(values))
            for (name, slot), values in self._rows.items()
        )
        return replace(snapshot, rows=rows, events=tuple(self._events))

    def _shown(self, snapshot: Snapshot) -> dict[RowKey, tuple[str, float]]:
        """Task id and utilisation of each row."""
        workers = snapshot.workers
        self._slots = {
            worker.name: _placed(self._slots.get(worker.name, []), worker) for worker in workers
        }
        if sum(map(len, self._slots.values())) <= MAX_ROWS:
            return {
                (name, number): (task_id, float(bool(task_id)))
                for name, slots in self._slots.items()
                for number, task_id in enumerate(slots)
            }
        return {
            (worker.name, None): ("", worker.busy / max(worker.slots, worker.busy, 1))
            for worker in workers[:MAX_ROWS]
        }


def _placed(before: list[str], worker: WorkerState) -> list[str]:
    """The task id in each slot of the worker, empty for an idle one.

    Workers do not announce which slot a batch runs in. A batch keeps the slot that it has; a new
    one gets the first free slot.
    """
    held = dict.fromkeys(worker.holds)
    slots = [task_id if task_id in held else "" for task_id in before[: worker.slots]]
    slots += [""] * (worker.slots - len(slots))
    new = iter([task_id for task_id in held if task_id not in slots])
    return [task_id or next(new, "") for task_id in slots]


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
    for name in new.keys() & old.keys():
        texts += _worker_changes(old[name], new[name])
    states = {job.job: job.state for job in before.jobs}
    texts += [
        f"job {job.job} is {job.state}" for job in after.jobs if states.get(job.job) != job.state
    ]
    return texts


def _worker_changes(old: WorkerState, new: WorkerState) -> list[str]:
    texts = []
    if (old.silent_s > SILENT_S) != (new.silent_s > SILENT_S):
        state = "is silent" if new.silent_s > SILENT_S else "responds again"
        texts.append(f"worker {new.name} {state}")
    if old.paused != new.paused:
        texts.append(f"worker {new.name} {'is paused' if new.paused else 'resumed'}")
    return texts
