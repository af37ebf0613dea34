"""Measures what a Celery message costs in each pool, beside a thread of the producer."""

import time
from collections.abc import Sequence
from contextlib import ExitStack

from poolrace.producer.cluster.resolve import cluster_for
from poolrace.producer.executors.models import Model, make_executor
from poolrace.producer.experiments.claims.claim_text import ClaimText
from poolrace.producer.experiments.claims.run import Measured, ReportStep
from poolrace.producer.jobs.job import Job
from poolrace.producer.rounds import rotated
from poolrace.producer.settings import Settings
from poolrace.workers.chunks import Chunk
from poolrace.workers.errors import ClusterError
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.pools import POOLS
from poolrace.workers.workloads import make_workload

ROUNDS = 5
"""Rounds in which each pool is measured once."""

MESSAGES = 40
"""Chunks of a pool per round: 0.1 s, which is long enough for a stable mean."""

WARM_UP = 20
"""Chunks before the first round: they load modules and open connections."""

ANSWER_S = 30.0
"""Seconds to wait for the result of a chunk; an idle worker needs a few milliseconds."""

LOCAL = Model("local", "threads", 1)
"""The model that hands chunks over without Celery."""

MESSAGE_PRICE = ClaimText(
    "message-price",
    "A message through Celery costs more than to hand the same work to a thread.",
    f"Sends {MESSAGES} chunks of one addition each, one after another, to a thread of the producer"
    " and to a worker of each pool; seconds from sending a chunk to its result.",
    "messages",
    ("local_threads_s", *(f"{pool}_s" for pool in POOLS)),
)


class _Stream:
    """Sends the chunks of a job to an executor, one after another."""

    def __init__(self, model: Model, settings: Settings) -> None:
        self.figure = f"local_{model.name}_s" if model.kind == "local" else f"{model.name}_s"
        job = Job(make_workload("sum", {}), 0, WARM_UP + ROUNDS * MESSAGES)
        self.executor = make_executor(model, job, settings)
        self._ledger = job.ledger()
        self._next = 0

    def seconds_each(self, number: int) -> float:
        """Send this many chunks, and return the mean seconds until the result of each."""
        began = time.perf_counter()
        for _ in range(number):
            self._send_one()
        return (time.perf_counter() - began) / number

    def finish(self) -> None:
        """Store the job as done, which it is after the last round."""
        self.executor.checkpoint(self._ledger)

    def _send_one(self) -> None:
        chunk = Chunk(self._next, self._next + 1)
        self._next += 1
        self.executor.submit([chunk])
        deadline = time.monotonic() + ANSWER_S
        while not self._ledger.covers(chunk):
            for result in self.executor.collect(1.0):
                self._ledger.add(result.chunk, result.value)
            if time.monotonic() > deadline:
                raise ClusterError(
                    f"{self.executor.model} did not answer within {ANSWER_S:g} s; see its log"
                )


def measure_messages(
    pools: Sequence[str], settings: Settings, report_step: ReportStep
) -> tuple[Measured, list[HostFacts]]:
    """Measure the pools in interleaved rounds; returns the figures and the facts of the hosts.

    Without a cluster, a temporary one is started. Pools without a worker are left out; if that are
    all of them, the figures are impossible.
    """
    figures: dict[str, list[float]] = {}
    report_step(MESSAGE_PRICE.name)
    with cluster_for(settings, dict.fromkeys(pools, 1)) as cluster, ExitStack() as stack:
        streams, missing = [], []
        for model in (LOCAL, *(Model("celery", pool, 1) for pool in pools)):
            stream = _Stream(model, cluster)
            try:
                stack.enter_context(stream.executor)
            except ClusterError as error:
                missing.append(str(error))
            else:
                streams.append(stream)
        if len(streams) == 1:
            return Measured(MESSAGE_PRICE.experiment, {}, missing[0]), []
        for stream in streams:
            stream.seconds_each(WARM_UP)
        for number in range(ROUNDS):
            for stream in rotated(streams, number):
                figures.setdefault(stream.figure, []).append(stream.seconds_each(MESSAGES))
        for stream in streams:
            stream.finish()
        hosts = {host.host: host for stream in streams for host in stream.executor.hosts}
    ordered = {stream.figure: figures[stream.figure] for stream in streams}
    return Measured(MESSAGE_PRICE.experiment, ordered), list(hosts.values())
