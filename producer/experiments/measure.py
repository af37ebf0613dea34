"""Measures one run of a job. Prints nothing: all figures are in the returned ``Run``."""

import logging
import time

from poolrace.producer.executors.base import Executor
from poolrace.producer.experiments.dispatch import Observer, dispatch, ignore_progress
from poolrace.producer.experiments.recorder import RunRecorder
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.ledger import Ledger
from poolrace.producer.jobs.schedules import Schedule
from poolrace.producer.results.run import Run
from poolrace.workers.chunks import Chunk
from poolrace.workers.errors import ClusterError
from poolrace.workers.usage import used_between

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
    recorder = RunRecorder(executor)
    began = time.perf_counter()
    with executor:
        warm_up(executor, job)
        recorder.startup_s = time.perf_counter() - began
        before = executor.usage(reset_peak=True)
        recorder.start()
        ledger = dispatch(job, executor, schedule, observer, recorder)
        recorder.stop()
        recorder.usage = used_between(before, executor.usage())
    return _run(job, executor, schedule, ledger, recorder, expected)


def warm_up(executor: Executor, job: Job) -> None:
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
    recorder: RunRecorder,
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
        utilisation=recorder.utilisation,
    )
