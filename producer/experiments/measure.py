"""Measures one run of a job. Prints nothing: all figures are in the returned ``Run``."""

import logging
import time

from poolrace.producer.executors.base import Executor
from poolrace.producer.experiments.dispatch import Observer, dispatch, ignore_progress
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.ledger import Ledger
from poolrace.producer.jobs.schedules import Schedule
from poolrace.producer.results.run import ChunkRecord, Event, Run, SlotShare
from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.errors import ClusterError
from poolrace.workers.host_facts import usable_cores
from poolrace.workers.usage import Usage, used_between

MAX_RECORDS = 1000
"""Records that a run stores, at most, one per chunk; the shares of the slots count all chunks."""

RECORD_BITS = 256
"""Bits of the largest value that a record stores; records of larger values store ``None``."""

WARM_UP_CHUNKS = 64
"""Empty chunks sent before the clock starts, at most: one per slot that the job can use."""

WARM_UP_S = 30.0
"""Seconds within which the first result of the warm-up must arrive."""

QUIET_S = 5.0
"""Seconds without a result after which the warm-up ends, and the run starts without the slots that
did not answer."""

logger = logging.getLogger(__name__)


def measure(
    job: Job,
    executor: Executor,
    schedule: Schedule,
    *,
    expected: int,
    observer: Observer = ignore_progress,
) -> Run:
    """Enter the executor, warm it up, run the job inside the clock, and leave the executor."""
    recorder = _Recorder(executor, observer)
    began = time.perf_counter()
    with executor:
        _warm_up(executor, job)
        recorder.startup_s = time.perf_counter() - began
        before = executor.usage(reset_peak=True)
        recorder.start()
        ledger = dispatch(job, executor, schedule, recorder.record)
        recorder.stop()
        recorder.usage = used_between(before, executor.usage())
    return _run(job, executor, schedule, ledger, recorder, expected)


class _Recorder:
    """Collects the figures of a run in bounded memory, while the run goes on."""

    def __init__(self, executor: Executor, observer: Observer) -> None:
        self._executor = executor
        self._observer = observer
        self._began = self._updated = 0.0
        self._hosts: object = None
        self._cores = 0.0
        """Cores of ``_hosts``, the executor's hosts at the last update."""
        self.startup_s = self.elapsed_s = self.slot_s = self.core_s = 0.0
        self.slots = 0
        self.usage = Usage()
        self.chunks = 0
        self.busy_s = self.computed_s = 0.0
        self.shares: dict[str, dict[str, SlotShare]] = {}
        self.events: list[Event] = []
        self.records: list[ChunkRecord] = []

    def start(self) -> None:
        """Start the clock."""
        self._executor.take_events()  # drops the events of the start-up
        self.slots = self._executor.slots
        self._began = self._updated = time.perf_counter()

    def stop(self) -> None:
        """Stop the clock."""
        self._update()
        self.elapsed_s = self._seconds()

    def record(self, ledger: Ledger, result: ChunkResult | None) -> None:
        """Record a result, or a wait without results, and call the observer."""
        if result is not None:
            self.chunks += 1
            self.busy_s += result.busy_s
            self.computed_s += result.cpu_s
            share = self.shares.setdefault(result.host, {}).setdefault(result.slot, SlotShare())
            share.chunks += 1
            share.indices += len(result.chunk)
            share.busy_s += result.busy_s
            if len(self.records) < MAX_RECORDS:
                self.records.append(self._chunk_record(ledger, result))
        self._update()
        self._observer(ledger, result)

    @property
    def efficiency(self) -> float:
        """The used share of the slots, or that of the cores, if it is larger.

        Work that computes is limited by the cores, however many slots there are.
        """
        return max(self.busy_s / self.slot_s, self.computed_s / self.core_s)

    def _seconds(self) -> float:
        return time.perf_counter() - self._began

    def _update(self) -> None:
        """Add the seconds of slots and cores, and the events, since the last update."""
        now = time.perf_counter()
        self.slot_s += self._executor.slots * (now - self._updated)
        self.core_s += self._usable_cores() * (now - self._updated)
        self._updated = now
        self.events += [Event(self._seconds(), text) for text in self._executor.take_events()]

    def _usable_cores(self) -> float:
        """Cores of the executor's hosts, which change much less often than chunks end."""
        hosts = self._executor.hosts
        if self._hosts is not hosts:
            self._hosts, self._cores = hosts, usable_cores(hosts)
        return self._cores

    def _chunk_record(self, ledger: Ledger, result: ChunkResult) -> ChunkRecord:
        return ChunkRecord(
            result.chunk.start,
            result.chunk.stop,
            result.host,
            result.slot,
            self._seconds(),
            result.duration_s,
            _storable(result.value),
            _storable(ledger.value),
        )


def _storable(value: int) -> int | None:
    """Return the value, or ``None`` if it is too large for a record."""
    return value if value.bit_length() <= RECORD_BITS else None


def _warm_up(executor: Executor, job: Job) -> None:
    """Compute an empty chunk on each slot, so that all imports and connections are made.

    Each empty chunk starts at another index of the job: no two chunks may be equal, and workers
    refuse a chunk outside of the workload's range. A job cannot use more slots than it has indices.
    """
    missing = sent = min(executor.slots, WARM_UP_CHUNKS, max(len(job), 1))
    executor.submit([Chunk(index, index) for index in range(job.start, job.start + sent)])
    last_result_at = time.monotonic()
    while missing > 0:
        results = executor.collect(1.0)
        missing -= len(results)
        last_result_at = time.monotonic() if results else last_result_at
        quiet_s = time.monotonic() - last_result_at
        if missing == sent and quiet_s > WARM_UP_S:
            raise ClusterError(
                f"{executor.model}: none of {sent} slots answered within {WARM_UP_S:.0f} s;"
                " see the workers' logs"
            )
        if 0 < missing < sent and quiet_s > QUIET_S:
            logger.warning("%d of %d slots did not answer in time; the run starts without them",
                           missing, sent)  # fmt: skip
            return


def _run(
    job: Job,
    executor: Executor,
    schedule: Schedule,
    ledger: Ledger,
    recorder: _Recorder,
    expected: int,
) -> Run:
    return Run(
        job=job.id,
        workload=job.workload.name,
        parameters=job.workload.parameters(),
        start=job.start,
        stop=job.stop,
        model=executor.model,
        slots=recorder.slots,
        hosts=len(executor.hosts),
        machines=len({facts.machine for facts in executor.hosts}),
        schedule=schedule.name,
        chunks=recorder.chunks,
        duplicates=ledger.duplicates,
        retries=executor.counts.get("retries", 0),
        resent=executor.counts.get("resent", 0),
        backups=executor.counts.get("backups", 0),
        resumed=sum(map(len, job.done)),
        value=ledger.value,
        expected=expected,
        exact=ledger.complete and ledger.value == expected,
        intervals=[[chunk.start, chunk.stop] for chunk in ledger.intervals],
        elapsed_s=recorder.elapsed_s,
        startup_s=recorder.startup_s,
        cpu_s=recorder.usage.cpu_s,
        busy_s=recorder.busy_s,
        efficiency=recorder.efficiency,
        voluntary_switches=recorder.usage.voluntary_switches,
        involuntary_switches=recorder.usage.involuntary_switches,
        peak_memory_bytes=recorder.usage.peak_memory_bytes,
        shares=recorder.shares,
        events=recorder.events,
        records=recorder.records,
    )
