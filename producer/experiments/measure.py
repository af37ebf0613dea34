"""One measured execution of a job. Prints nothing; what it returns is all there is to know."""

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
from poolrace.workers.usage import Usage, used_between

MAX_RECORDS = 1000
"""Chunks that a run keeps a record of each; of all of them it keeps each slot's share."""

RECORD_BITS = 256
"""Size of the largest value that a record keeps."""

WARM_UP_CHUNKS = 64
"""Empty chunks sent before the clock starts, one a slot, at most so many."""

WARM_UP_S = 30.0
"""Seconds within which the first of them is answered."""

QUIET_S = 5.0
"""Seconds without an answer after which the run begins with the slots that did answer."""

logger = logging.getLogger(__name__)


def measure(
    job: Job,
    executor: Executor,
    schedule: Schedule,
    *,
    expected: int,
    observer: Observer = ignore_progress,
) -> Run:
    """Enter the executor, warm it up, run the job inside the clock, and leave it again."""
    books = _Books(executor, observer)
    began = time.perf_counter()
    with executor:
        _warm_up(executor)
        books.startup_s = time.perf_counter() - began
        before = executor.usage(reset_peak=True)
        books.start()
        ledger = dispatch(job, executor, schedule, books.enter)
        books.end()
        books.usage = used_between(before, executor.usage())
    return _run(job, executor, schedule, ledger, books, expected)


class _Books:
    """Collects what a run is reported by, in bounded memory."""

    def __init__(self, executor: Executor, observer: Observer) -> None:
        self._executor = executor
        self._observer = observer
        self._began = self._looked = 0.0
        self.startup_s = self.elapsed_s = self.slot_s = 0.0
        self.slots = 0
        self.usage = Usage()
        self.chunks = 0
        self.busy_s = 0.0
        self.shares: dict[str, dict[str, SlotShare]] = {}
        self.events: list[Event] = []
        self.records: list[ChunkRecord] = []

    def start(self) -> None:
        self._executor.take_events()  # before the clock started
        self.slots = self._executor.slots
        self._began = self._looked = time.perf_counter()

    def end(self) -> None:
        self._look()
        self.elapsed_s = self.seconds()

    def seconds(self) -> float:
        return time.perf_counter() - self._began

    def enter(self, ledger: Ledger, result: ChunkResult | None) -> None:
        if result is not None:
            self.chunks += 1
            self.busy_s += result.busy_s
            share = self.shares.setdefault(result.host, {}).setdefault(result.slot, SlotShare())
            share.chunks += 1
            share.indices += len(result.chunk)
            share.busy_s += result.busy_s
            if len(self.records) < MAX_RECORDS:
                self.records.append(self._record(ledger, result))
        self._look()
        self._observer(ledger, result)

    def _look(self) -> None:
        """Count the seconds that slots were there, and take down what happened."""
        now = time.perf_counter()
        self.slot_s += self._executor.slots * (now - self._looked)
        self._looked = now
        self.events += [Event(self.seconds(), what) for what in self._executor.take_events()]

    def _record(self, ledger: Ledger, result: ChunkResult) -> ChunkRecord:
        return ChunkRecord(
            result.chunk.start,
            result.chunk.stop,
            result.host,
            result.slot,
            self.seconds(),
            result.duration_s,
            _short(result.value),
            _short(ledger.value),
        )


def _short(value: int) -> int | None:
    """The value, unless a thousand of its size would make a file unwieldy."""
    return value if value.bit_length() <= RECORD_BITS else None


def _warm_up(executor: Executor) -> None:
    """Have each slot compute an empty chunk: it then has imported and connected everything.

    The chunks are empty ranges at different places, for no two may look alike.
    """
    waiting = sent = min(executor.slots, WARM_UP_CHUNKS)
    executor.submit([Chunk(i, i) for i in range(sent)])
    heard = time.monotonic()
    while waiting > 0:
        answers = executor.collect(1.0)
        waiting -= len(answers)
        heard = time.monotonic() if answers else heard
        quiet_s = time.monotonic() - heard
        if waiting == sent and quiet_s > WARM_UP_S:
            raise ClusterError(
                f"{executor.model}: none of {sent} slots answered within {WARM_UP_S:.0f} s;"
                " look at the workers' logs"
            )
        if 0 < waiting < sent and quiet_s > QUIET_S:
            logger.warning("%d of %d slots did not answer in time; the run begins without them",
                           waiting, sent)  # fmt: skip
            return


def _run(
    job: Job,
    executor: Executor,
    schedule: Schedule,
    ledger: Ledger,
    books: _Books,
    expected: int,
) -> Run:
    return Run(
        job=job.id,
        workload=job.workload.name,
        parameters=job.workload.parameters(),
        start=job.start,
        stop=job.stop,
        model=executor.model,
        slots=books.slots,
        hosts=len(executor.hosts),
        machines=len({facts.machine for facts in executor.hosts}),
        schedule=schedule.name,
        chunks=books.chunks,
        duplicates=ledger.duplicates,
        retries=executor.counts.get("retries", 0),
        resent=executor.counts.get("resent", 0),
        backups=executor.counts.get("backups", 0),
        resumed=sum(map(len, job.done)),
        value=ledger.value,
        expected=expected,
        exact=ledger.complete and ledger.value == expected,
        intervals=[[chunk.start, chunk.stop] for chunk in ledger.intervals],
        elapsed_s=books.elapsed_s,
        startup_s=books.startup_s,
        cpu_s=books.usage.cpu_s,
        busy_s=books.busy_s,
        efficiency=books.busy_s / books.slot_s,
        voluntary_switches=books.usage.voluntary_switches,
        involuntary_switches=books.usage.involuntary_switches,
        peak_memory_bytes=books.usage.peak_memory_bytes,
        shares=books.shares,
        events=books.events,
        records=books.records,
    )
