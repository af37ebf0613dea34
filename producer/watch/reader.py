"""Reads the snapshot of a cluster from Redis, in two round trips and a handful of commands."""

import json
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import redis

from poolrace.producer.broker.checkpoint_store import INDEX_KEY as JOBS_KEY
from poolrace.producer.broker.checkpoint_store import job_key, owner_key
from poolrace.producer.broker.workers import SILENT_S
from poolrace.producer.jobs.checkpoint import ENDED, LOST, RUNNING, Checkpoint
from poolrace.producer.results.natural_order import natural_key
from poolrace.producer.watch.history import History
from poolrace.producer.watch.snapshot import JobState, Snapshot, State, WorkerState, coverage
from poolrace.workers.pools import POOLS
from poolrace.workers.protocol import queue_of
from poolrace.workers.runtime.presence import INDEX_KEY as WORKERS_KEY
from poolrace.workers.runtime.presence import REFRESH_S, Announcement, presence_key
from poolrace.workers.settings import mask

MAX_JOBS = 100
"""Number of jobs in a snapshot at most."""

NO_KEY = "poolrace:none"
"""A key that never exists: ``MGET`` needs one key at least."""


@dataclass
class Reader:
    """Reads successive snapshots of one cluster; ``url`` names the broker.

    The checkpoint of a job that has ended is read once, because it does not change any more.
    """

    client: redis.Redis
    url: str
    _history: History = field(default_factory=History)
    _ended: dict[str, JobState | None] = field(default_factory=dict)
    _rates: dict[str, "_Rate"] = field(default_factory=dict)
    _last: Snapshot | None = None

    def read(self) -> Snapshot:
        """Read the next snapshot. If Redis does not answer, its ``error`` says why."""
        now = datetime.now(UTC)
        at = now.isoformat(timespec="milliseconds")
        try:
            snapshot = self._read(at)
        except redis.RedisError as error:
            before = self._last or Snapshot(mask(self.url), at)
            snapshot = replace(before, at=at, error=mask(str(error)) or type(error).__name__)
        self._last = snapshot
        return self._history.add(snapshot, now.astimezone().strftime("%H:%M:%S"))

    def _read(self, at: str) -> Snapshot:
        with self.client.pipeline(transaction=False) as pipe:
            pipe.smembers(WORKERS_KEY)
            pipe.smembers(JOBS_KEY)
            pipe.info("memory")
            for pool in POOLS:
                pipe.llen(queue_of(pool))
            first = len(pipe)
            workers, jobs, memory, *lengths = pipe.execute()
        names = sorted((name.decode(errors="replace") for name in workers), key=natural_key)
        job_ids = sorted(job_id.decode(errors="replace") for job_id in jobs)
        self._ended = {job_id: self._ended[job_id] for job_id in job_ids if job_id in self._ended}
        open_ids = [job_id for job_id in job_ids if job_id not in self._ended]
        with self.client.pipeline(transaction=False) as pipe:
            pipe.mget([NO_KEY, *map(presence_key, names)])
            pipe.mget([NO_KEY, *map(job_key, open_ids), *map(owner_key, open_ids)])
            for name in names:
                pipe.pttl(presence_key(name))
            second = len(pipe)
            (_, *announced), (_, *stored), *left_ms = pipe.execute()
        return Snapshot(
            broker=mask(self.url),
            at=at,
            memory_bytes=int(memory.get("used_memory", 0)),
            memory_limit_bytes=int(memory.get("maxmemory", 0)),
            commands=first + second,
            queues=tuple(zip(POOLS, lengths, strict=True)),
            workers=self._workers(announced, left_ms),
            jobs=self._jobs(open_ids, stored[: len(open_ids)], stored[len(open_ids) :]),
        )

    def _workers(
        self, announced: list[bytes | None], left_ms: list[int]
    ) -> tuple[WorkerState, ...]:
        workers, now, rates = [], time.monotonic(), {}
        for payload, left in zip(announced, left_ms, strict=True):
            try:
                announcement = Announcement.read(payload or b"", left)
            except (ValueError, RecursionError):
                continue  # expired, or not a worker of poolrace
            name, begun = announcement.presence.name, announcement.chunks_begun
            if begun is not None:
                rates[name] = _next_rate(self._rates.get(name), now - announcement.age_s, begun)
            workers.append(_worker_state(announcement, rates.get(name)))
        self._rates = rates
        return tuple(workers)

    def _jobs(
        self, job_ids: list[str], stored: list[bytes | None], owners: list[bytes | None]
    ) -> tuple[JobState, ...]:
        current = []
        for job_id, text, owner in zip(job_ids, stored, owners, strict=True):
            job = _job_state(text, owned=owner is not None)
            if job is None or job.state in ENDED:
                self._ended[job_id] = job
            else:
                current.append(job)
        jobs = [*current, *filter(None, self._ended.values())]
        jobs.sort(key=lambda job: job.made_at, reverse=True)
        jobs.sort(key=lambda job: job.state != RUNNING)
        return tuple(jobs[:MAX_JOBS])


@dataclass(frozen=True)
class _Rate:
    """The number of chunks that a worker announced to have begun, and the rate since before."""

    at: float
    """Time of the announcement, by the monotonic clock of this machine."""
    begun: int
    per_s: float | None = None


def _next_rate(before: _Rate | None, at: float, begun: int) -> _Rate:
    """The rate after an announcement, which may be the one that was read before."""
    if before is None or begun < before.begun:  # a new worker, or one that was started again
        return _Rate(at, begun)
    if at - before.at < REFRESH_S / 2:
        return before
    return _Rate(at, begun, (begun - before.begun) / (at - before.at))


def _worker_state(announcement: Announcement, rate: _Rate | None) -> WorkerState:
    presence, held, working = announcement.presence, len(announcement.holds), announcement.working
    busy = min(held, presence.slots) if working is None else len(working)
    state = _state(announcement)
    return WorkerState(
        name=presence.name,
        pool=presence.pool,
        host=presence.host.host,
        slots=presence.slots,
        busy=busy,
        waiting=max(held - busy, 0),
        chunks_per_s=rate.per_s if rate and state != "silent" else None,
        silent_s=max(0.0, announcement.age_s),
        state=state,
        version=presence.version,
        protocol=presence.protocol,
        working=None if working is None else tuple(sorted(working.items(), key=_by_slot)),
    )


def _by_slot(item: tuple[str, str]) -> tuple[tuple[int, str], ...]:
    return natural_key(item[0])


def _state(announcement: Announcement) -> State:
    if not announcement.presence.compatible:
        return "incompatible"
    if announcement.age_s > SILENT_S:
        return "silent"
    if announcement.paused:
        return "paused"
    return "present" if announcement.presence.slots else "stopping"


def _job_state(text: bytes | None, *, owned: bool) -> JobState | None:
    """The job in a stored checkpoint; ``None`` if it expired or is damaged."""
    try:
        checkpoint: Any = Checkpoint.from_json(json.loads(text or b""))
    except (ValueError, RecursionError):
        return None
    job = checkpoint.job
    return JobState(
        job=job.id,
        workload=job.workload.name,
        pool=checkpoint.pool,
        state=LOST if checkpoint.state == RUNNING and not owned else checkpoint.state,
        done=checkpoint.done / len(job) if len(job) else 1.0,
        coverage=coverage(job.start, job.stop, job.done),
        made_at=checkpoint.made_at,
    )
