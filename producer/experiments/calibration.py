"""Calibrates a simulation: measures the costs of messages and indices on real hosts of a pool.

Takes a few seconds. Prints nothing.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import fmean

from poolrace.producer.analysis.stats import median
from poolrace.producer.broker.client import connect, translate_errors
from poolrace.producer.environment import describe
from poolrace.producer.executors.base import Executor
from poolrace.producer.executors.models import Model, make_executor
from poolrace.producer.experiments.measure import warm_up
from poolrace.producer.jobs.job import Job, new_job_id
from poolrace.producer.results.environment import Environment
from poolrace.producer.results.simulation import Calibration
from poolrace.producer.settings import Settings
from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.errors import ClusterError, UsageError
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.usage import Usages
from poolrace.workers.workloads import make_workload

MESSAGES = 300
"""Number of messages whose costs are measured, at least: their CPU time is read in steps of 10 ms,
which are 4 % of what a worker spends on them."""

MESSAGES_PER_SLOT = 4
"""Number of messages per slot, at least."""

WAIT_S = 0.005
"""Seconds that the chunk of a message waits, for each slot of the busiest host: its one process
that takes messages is then busy for a tenth of the time."""

LONGEST_WAIT_S = 0.2
"""Seconds that the chunk of a message waits, at most."""

PINGS = 50
"""Number of round trips to Redis."""

PLACES = (0.0, 0.5, 1.0)
"""Places of the range whose indices are measured, from 0 to 1."""

CHUNK_S = 0.3
"""Seconds of the chunks that measure the indices, at least: three periods of a CPU quota."""

INDEX_BUDGET_S = 4.0
"""Seconds after which a longer chunk of the same place is not begun."""

GROWTH = 4
"""Factor by which the chunks of a place grow."""

GAP_CHUNK_S = 0.1
"""Seconds of the chunks that compute between two messages: long enough that a worker's code is no
longer in the caches of its core, and a whole period of a CPU quota."""

GAP_CHUNKS, GAP_CHUNKS_PER_SLOT = 24, 6
"""Number of such chunks, at least; and per slot."""

MOST_GAP_SLOTS = 8
"""Number of slots above which chunks that compute one after the other in each would take long."""

LONGEST_INDEX_S = 120.0
"""Seconds within which the result of a chunk must arrive."""

HOST_SHARE = {"prefork": 0.4}
"""Share of a worker's CPU time for a message in the process that takes messages, by pool: an
estimate, not measured. Other pools have only one process."""


@dataclass(frozen=True)
class MessageTimes:
    """Seconds of one message in each program, and between two messages of a slot."""

    count: int
    send_s: float
    receive_s: float
    redis_s: float
    """CPU seconds of Redis for a message and its result together."""
    worker_s: float
    """CPU seconds of a worker and its processes."""
    gap_s: float
    """Seconds between the end of a chunk and the begin of the next one in the same slot."""


def calibrate(job: Job, model: Model, settings: Settings) -> tuple[Calibration, Environment]:
    """Measure the costs of messages and of the job's indices on the running hosts of the pool."""
    if not len(job):
        raise UsageError("an empty range has no index to measure; give a longer range")
    began = time.perf_counter()
    settings = replace(settings, lasting=False)  # the calibration is no job to resume
    latency_s = _latency_s(settings)
    messages, hosts = _message_times(model, settings)
    # A host with less than a core takes longer for its CPU time.
    core = min(1.0, *(facts.cpu_quota or 1.0 for facts in hosts))
    indices = _index_times(job, model, settings, core)
    gap_s = messages.gap_s if indices.gap_s is None else indices.gap_s
    host_s = min(HOST_SHARE.get(model.name, 1.0) * messages.worker_s / core, gap_s)
    redis_s = messages.redis_s / 2
    calibration = Calibration(
        pool=model.name,
        messages=messages.count,
        send_s=messages.send_s,
        receive_s=messages.receive_s,
        redis_s=redis_s,
        host_s=host_s,
        slot_s=max(gap_s - host_s - redis_s - 2 * latency_s, 0.0),
        latency_s=latency_s,
        work_s=indices.work_s,
        wait_s=indices.wait_s,
        uneven=indices.uneven,
        elapsed_s=time.perf_counter() - began,
    )
    return calibration, describe(hosts)


def _latency_s(settings: Settings) -> float:
    """Half of the median round trip to Redis."""
    url = str(settings.broker_url)
    seconds = []
    with translate_errors(url), closing(connect(url, settings.ca_file)) as client:
        for _ in range(PINGS):
            began = time.perf_counter()
            client.ping()
            seconds.append(time.perf_counter() - began)
    return median(seconds) / 2


def _message_times(model: Model, settings: Settings) -> tuple[MessageTimes, Sequence[HostFacts]]:
    """The seconds of messages whose chunks wait, each with one chunk; and the hosts' facts."""
    probe = Job(make_workload("sum", {}), 0, 1)
    with make_executor(model, probe, settings) as executor:
        warm_up(executor, probe)
        hosts, slots = executor.hosts, executor.slots
    wait_s = min(WAIT_S * -(-slots // max(len(hosts), 1)), LONGEST_WAIT_S)
    count = max(MESSAGES, MESSAGES_PER_SLOT * slots)
    job = Job(make_workload("mixed", {"cpu_s": 0.0, "wait_s": wait_s}), 0, count)
    # Without any result, an executor sends each chunk in a message of its own.
    with make_executor(model, job, settings) as executor:
        warm_up(executor, job)
        before = executor.usage()
        start_s = time.process_time()
        chunks = [Chunk(index, index + 1) for index in range(count)]
        executor.submit(chunks)
        sent_s = time.process_time()
        gaps_s = _gaps_s(arrivals(executor, chunks))
        received_s = time.process_time()
        after = executor.usage()
    used = _used(before, after)
    return MessageTimes(
        count=count,
        send_s=(sent_s - start_s) / count,
        receive_s=(received_s - sent_s) / count,
        redis_s=sum(s for name, s in used.items() if name.startswith("redis")) / count,
        worker_s=_workers_s(used) / count,
        gap_s=max(median(gaps_s), 0.0) if gaps_s else 0.0,
    ), hosts


def _used(before: Usages, after: Usages) -> dict[str, float]:
    """CPU seconds between two readings, by name."""
    return {
        name: after[name].cpu_s - usage.cpu_s for name, usage in before.items() if name in after
    }


def _workers_s(used: Mapping[str, float]) -> float:
    """CPU seconds of all workers and their processes."""
    return sum(
        cpu_s for name, cpu_s in used.items() if name != "producer" and not name.startswith("redis")
    )


def arrivals(executor: Executor, chunks: Sequence[Chunk]) -> Iterator[tuple[float, ChunkResult]]:
    """The first result of each chunk, and the second at which it arrived.

    Chunks that were sent again have several results; those of the warm-up may be late.
    """
    missing, deadline = set(chunks), time.monotonic() + LONGEST_INDEX_S
    while missing:
        results = executor.collect(1.0)
        now = time.perf_counter()
        for result in results:
            if result.chunk in missing:
                missing.remove(result.chunk)
                yield now, result
        if missing and time.monotonic() > deadline:
            raise ClusterError(
                f"{len(missing)} of {len(chunks)} chunks of the calibration did not arrive within"
                f" {LONGEST_INDEX_S:g} s; see: producer status"
            )


def _gaps_s(arrived: Iterable[tuple[float, ChunkResult]]) -> list[float]:
    """Seconds between two chunks of a slot: between their arrivals, without the second's own."""
    by_slot = defaultdict(list)
    for arrived_at, result in arrived:
        by_slot[result.host, result.slot].append((arrived_at, result.duration_s))
    return [
        later_at - earlier_at - duration_s
        for times in by_slot.values()
        for (earlier_at, _), (later_at, duration_s) in pairwise(times)
    ]


@dataclass(frozen=True)
class _IndexTimes:
    """Seconds of a unit of cost, and between two chunks of a slot that compute."""

    work_s: float
    wait_s: float
    uneven: float
    """Greatest relative difference between a place of the range and the mean."""
    gap_s: float | None
    """``None``: not measured."""


def _index_times(job: Job, model: Model, settings: Settings, core: float) -> _IndexTimes:
    """The times of the job's indices on hosts that have ``core`` cores, at most 1, for a slot."""
    job = replace(job, id=new_job_id())
    with make_executor(model, job, settings) as executor:
        warm_up(executor, job)
        results = [_place(executor, job, place) for place in PLACES]
        one_by_one = model.name in HOST_SHARE and executor.slots <= MOST_GAP_SLOTS
        gap_s = _computing_gap_s(executor, job, results[1], core) if one_by_one else None
    costs = [job.workload.cost(each.chunk.start, each.chunk.stop) for each in results]
    seconds = [_work_s(each, core) for each in results]
    waited_s = [min(each.waited_s, each.duration_s) for each in results]
    mean_s = (sum(seconds) + sum(waited_s)) / sum(costs)
    uneven = max(
        abs((work + wait) / cost - mean_s) / mean_s if mean_s else 0.0
        for work, wait, cost in zip(seconds, waited_s, costs, strict=True)
    )
    return _IndexTimes(sum(seconds) / sum(costs), sum(waited_s) / sum(costs), uneven, gap_s)


def _work_s(result: ChunkResult, core: float) -> float:
    """Seconds that the chunk computed, without its waits.

    A quota lets a short chunk compute as fast as on a whole core before it stops the process; over
    a whole job it takes its CPU time divided by the quota.
    """
    if core < 1.0:
        return result.cpu_s / core
    return max(result.duration_s - result.waited_s, 0.0)


def _computing_gap_s(executor: Executor, job: Job, like: ChunkResult, core: float) -> float | None:
    """Mean seconds between two chunks of a slot that compute, ``None`` if they would take long.

    ``like`` is the result of a chunk that shows how long the indices take. Under a quota, some gaps
    contain a stop of a tenth of a second: the CPU time outside of chunks, divided by the quota, is
    their mean over a whole job.
    """
    part = min(GAP_CHUNK_S / max(like.duration_s, 1e-9), 1.0)
    length = max(round(part * len(like.chunk)), 1)
    count = max(GAP_CHUNKS_PER_SLOT * executor.slots, GAP_CHUNKS)
    if count * length > len(job) or like.duration_s / len(like.chunk) * length > 2 * GAP_CHUNK_S:
        return None
    starts = range(job.start, job.start + count * length, length)
    chunks = [Chunk(start, start + length) for start in starts]
    before = executor.usage()
    executor.submit(chunks)
    results = list(arrivals(executor, chunks))
    if core < 1.0:
        computed_s = sum(result.cpu_s for _, result in results)
        return max(_workers_s(_used(before, executor.usage())) - computed_s, 0.0) / count / core
    return max(fmean(_gaps_s(results)), 0.0)


def _place(executor: Executor, job: Job, place: float) -> ChunkResult:
    """The result of a chunk at a place of the range, long enough to measure its indices."""
    began, length = time.monotonic(), 1
    while True:
        start = job.start + int(place * (len(job) - length))
        chunk = Chunk(start, start + length)
        executor.submit([chunk])
        _, result = next(arrivals(executor, [chunk]))
        in_time = time.monotonic() - began < INDEX_BUDGET_S / len(PLACES)
        if result.duration_s >= CHUNK_S or length == len(job) or not in_time:
            return result
        length = min(length * GROWTH, len(job))
