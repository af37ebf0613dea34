"""Measures experiments of the claims on the worker hosts of a pool, one after another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from celery.exceptions import TimeoutError as NoResultError
from msgspec import ValidationError, convert

from poolrace.producer.broker.client import connect, translate_errors
from poolrace.producer.broker.workers import pool_workers
from poolrace.producer.errors import JobFailed
from poolrace.producer.experiments.claims.run import Measured, ReportStep
from poolrace.producer.settings import Settings
from poolrace.workers.app import PROBE_TASK, make_app
from poolrace.workers.errors import ClusterError
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.probes.command import PROGRAM_S
from poolrace.workers.protocol import queue_of

WAIT_S = PROGRAM_S + 30.0
"""Seconds to wait for the figures of one experiment: a worker ends its program earlier."""


def measure_on_pool(
    pool: str, names: Sequence[str], settings: Settings, report_step: ReportStep
) -> Iterator[tuple[Measured, HostFacts]]:
    """Yield the figures of each experiment, and the facts of the host that measured them.

    The message holds the experiment's name and no code. Raises ``ClusterError`` if the pool has no
    worker, or none answers.
    """
    url = str(settings.broker_url)
    with translate_errors(url):
        with connect(url, settings.ca_file) as client:
            pool_workers(client, pool)
        with make_app(settings) as app:
            for name in names:
                report_step(f"{name} on {pool}")
                sent = app.send_task(
                    PROBE_TASK, args=(name,), queue=queue_of(pool), ignore_result=False
                )
                try:
                    answer = sent.get(timeout=WAIT_S, propagate=False)
                except NoResultError as error:
                    raise ClusterError(
                        f"no worker of pool {pool!r} measured {name} within {WAIT_S:g} s; start"
                        " workers of this version of poolrace"
                    ) from error
                finally:
                    sent.forget()
                yield _read(name, pool, answer)


@dataclass(frozen=True)
class _Answer:
    """The answer of a worker to one experiment."""

    host: HostFacts
    figures: dict[str, list[float]]
    impossible: str


def _read(name: str, pool: str, answer: object) -> tuple[Measured, HostFacts]:
    """The figures and the host in an answer; raises ``JobFailed`` for a failed task."""
    try:
        read = convert(answer, _Answer)
    except ValidationError as error:
        raise JobFailed(f"{name} failed on pool {pool!r}: {answer!r:.200}") from error
    return Measured(name, read.figures, read.impossible), read.host
