"""Calibrates a simulation: measures the costs of messages and indices on real hosts of a pool.

Takes a few seconds. Prints nothing.
"""

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import pairwise

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
    work_s, wait_s, uneven = _index_times(job, model, settings)
    # A host with less than a core takes longer for a message than its CPU time.
    core = min(1.0, *(facts.cpu_quota or 1.0 for facts in hosts))
    host_s = HOST_SHARE.get(model.name, 1.0) * messages.worker_s / core
    redis_s = messages.redis_s / 2
    host_s = min(host_s, messages.gap_s)
    calibration = Calibration(
        pool=model.name,
        messages=messages.count,
        send_s=messages.send_s,
        receive_s=messages.receive_s,
        redis_s=redis_s,
        host_s=host_s,
        slot_s=max(messages.gap_s - host_s - redis_s - 2 * latency_s, 0.0),
        latency_s=latency_s,
        work_s=work_s,
        wait_s=wait_s,
        uneven=uneven,
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
        executor.submit([Chunk(index, index + 1) for index in range(count)])
        sent_s = time.process_time()
        gaps_s = _gaps_s(_arrivals(executor, count))
        received_s = time.process_time()
        after = executor.usage()
    used = {
        name: after[name].cpu_s - usage.cpu_s for name, usage in before.items() if name in after
    }
    return MessageTimes(
        count=count,
        send_s=(sent_s - start_s) / count,
        receive_s=(received_s - sent_s) / count,
        redis_s=sum(s for name, s in used.items() if name.startswith("redis")) / count,
        worker_s=sum(s for name, s in used.items() if _is_worker(name)) / count,
        gap_s=max(median(gaps_s), 0.0) if gaps_s else 0.0,
    ), hosts


def _is_worker(name: str) -> bool:
    return name != "producer" and not name.startswith("redis")


def _arrivals(executor: Executor, count: int) -> Iterator[tuple[float, ChunkResult]]:
    """Each result with the second at which it arrived."""
    missing, deadline = count, time.monotonic() + LONGEST_INDEX_S
    while missing:
        results = executor.collect(1.0)
        now = time.perf_counter()
        for result in results:
            if len(result.chunk):  # else a late result of the warm-up
                missing -= 1
                yield now, result
        if time.monotonic() > deadline:
            raise ClusterError(
                f"{missing} of {count} chunks of the calibration did not arrive within"
                f" {LONGEST_INDEX_S:g} s; see: producer status"
            )


def _gaps_s(arrivals: Iterator[tuple[float, ChunkResult]]) -> list[float]:
    """Seconds between two chunks of a slot: between their arrivals, without the second's own."""
    by_slot = defaultdict(list)
    for arrived_at, result in arrivals:
        by_slot[result.host, result.slot].append((arrived_at, result.duration_s))
    return [
        later_at - earlier_at - duration_s
        for times in by_slot.values()
        for (earlier_at, _), (later_at, duration_s) in pairwise(times)
    ]


def _index_times(job: Job, model: Model, settings: Settings) -> tuple[float, float, float]:
    """Computing and waiting seconds of a unit of cost, and how uneven they are."""
    job = replace(job, id=new_job_id())
    with make_executor(model, job, settings) as executor:
        warm_up(executor, job)
        results = [_place(executor, job, place) for place in PLACES]
    costs = [job.workload.cost(each.chunk.start, each.chunk.stop) for each in results]
    cost = sum(costs)
    whole_s, waited_s = (
        sum(each.duration_s for each in results),
        sum(min(each.waited_s, each.duration_s) for each in results),
    )
    mean_s = whole_s / cost
    uneven = max(
        abs(each.duration_s / cost - mean_s) / mean_s if mean_s else 0.0
        for each, cost in zip(results, costs, strict=True)
    )
    return (whole_s - waited_s) / cost, waited_s / cost, uneven


def _place(executor: Executor, job: Job, place: float) -> ChunkResult:
    """The result of a chunk at a place of the range, long enough to measure its indices."""
    began, length = time.monotonic(), 1
    while True:
        start = job.start + int(place * (len(job) - length))
        executor.submit([Chunk(start, start + length)])
        _, result = next(_arrivals(executor, 1))
        in_time = time.monotonic() - began < INDEX_BUDGET_S / len(PLACES)
        if result.duration_s >= CHUNK_S or length == len(job) or not in_time:
            return result
        length = min(length * GROWTH, len(job))
