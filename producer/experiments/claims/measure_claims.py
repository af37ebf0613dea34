"""Tests claims: runs their experiments, and keeps the figures of each claim. Prints nothing."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from poolrace.producer.cluster.resolve import cluster_for, unusable_pools
from poolrace.producer.environment import describe, now
from poolrace.producer.experiments.claims.catalogue import CLAIMS
from poolrace.producer.experiments.claims.claim_text import ClaimText
from poolrace.producer.experiments.claims.messages import MESSAGE_PRICE, measure_messages
from poolrace.producer.experiments.claims.on_pool import measure_on_pool
from poolrace.producer.experiments.claims.run import Measured, ReportStep, measure
from poolrace.producer.interpreters import probe
from poolrace.producer.results.claims import Claim, Claims, Figure
from poolrace.producer.results.interpreter import Interpreter, labelled
from poolrace.producer.results.interruption import interruption_by
from poolrace.producer.settings import Settings
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.pools import POOLS

ALL_CLAIMS: tuple[ClaimText, ...] = (*CLAIMS, MESSAGE_PRICE)
"""All claims, in the order of reports."""

NAMES = tuple(text.name for text in ALL_CLAIMS)
"""The names of all claims."""


@dataclass(frozen=True)
class ClaimsOptions:
    """The claims to test, and where."""

    names: Sequence[str] = NAMES
    interpreters: Sequence[Interpreter] = ()
    """Interpreters in place of this one; they have labels."""
    pool: str | None = None
    """Celery pool on whose worker hosts the claims are tested; ``None``: on this machine."""

    @property
    def texts(self) -> list[ClaimText]:
        """The texts of the claims, in the order of reports.

        Other interpreters have no Celery, so that no message is measured with them.
        """
        wanted = [text for text in ALL_CLAIMS if text.name in self.names]
        return [text for text in wanted if not self.interpreters or text is not MESSAGE_PRICE]

    @property
    def experiments(self) -> list[str]:
        """The experiments of the claims, each once, without that of messages."""
        return list(
            dict.fromkeys(text.experiment for text in self.texts if text is not MESSAGE_PRICE)
        )

    @property
    def steps(self) -> int:
        """Number of experiments that are measured."""
        messages = sum(text is MESSAGE_PRICE for text in self.texts)
        return max(1, len(self.interpreters)) * len(self.experiments) + messages

    @property
    def planned(self) -> int:
        """Number of claims in complete results."""
        return max(1, len(self.interpreters)) * len(self.texts)


@dataclass
class _Tested:
    """The figures so far: interpreters, hosts, and experiments with their interpreter."""

    options: ClaimsOptions
    made_at: str = field(default_factory=now)
    interpreters: list[Interpreter] = field(default_factory=list)
    hosts: dict[str, HostFacts] = field(default_factory=dict)
    measured: list[tuple[Interpreter, Measured]] = field(default_factory=list)

    def add(self, interpreter: Interpreter, measured: Measured) -> None:
        """Add the figures of an experiment."""
        self.interpreters += [] if interpreter in self.interpreters else [interpreter]
        self.measured.append((interpreter, measured))

    def claims(self) -> Claims:
        """The claims whose experiments ended, in the order of reports."""
        found = [
            _claim(text, interpreter.label, self.options.pool or "", measured)
            for text in self.options.texts
            for interpreter, measured in self.measured
            if measured.name == text.experiment
        ]
        return Claims(
            made_at=self.made_at,
            environment=describe(self.hosts.values()),
            interpreters=self.interpreters,
            claims=found,
            planned=self.options.planned,
        )


def measure_claims(
    options: ClaimsOptions,
    settings: Settings,
    report_step: ReportStep = lambda _: None,
    keep: Callable[[Claims], None] = lambda _: None,
) -> Claims:
    """Run the experiments of the claims, one after another, and return the figures.

    If an error or Ctrl-C ends the measuring, ``keep`` is called with the incomplete claims so far,
    unless there are none.
    """
    tested = _Tested(options)
    try:
        for interpreter, measured in _measured(options, settings, report_step, tested.hosts):
            tested.add(interpreter, measured)
    except BaseException as error:
        if tested.measured:
            interruption = interruption_by(error)
            keep(replace(tested.claims(), complete=False, interruption=interruption))
        raise
    return tested.claims()


def _measured(
    options: ClaimsOptions,
    settings: Settings,
    report_step: ReportStep,
    hosts: dict[str, HostFacts],
) -> Iterator[tuple[Interpreter, Measured]]:
    """Yield the figures of each experiment with its interpreter; adds the hosts to ``hosts``."""
    if options.pool:
        yield from _on_pool(options, options.pool, settings, report_step, hosts)
        return
    hosts[settings.host] = HostFacts.collect(settings.host)
    this = probe(sys.executable)
    for interpreter in options.interpreters or [this]:
        path = Path(interpreter.path) if options.interpreters else None
        for name in options.experiments:
            for measured in measure(path, [name], report_step):
                yield interpreter, measured
    if MESSAGE_PRICE in options.texts:
        unusable = unusable_pools(settings, POOLS)
        pools = [pool for pool in POOLS if pool not in unusable]
        messages, _ = measure_messages(pools, settings, report_step)
        yield this, messages


def _on_pool(
    options: ClaimsOptions,
    pool: str,
    settings: Settings,
    report_step: ReportStep,
    hosts: dict[str, HostFacts],
) -> Iterator[tuple[Interpreter, Measured]]:
    """Yield the figures of each experiment on worker hosts of the pool."""
    with cluster_for(settings, {pool: 1}) as cluster:
        for measured, host in measure_on_pool(pool, options.experiments, cluster, report_step):
            hosts[host.host] = host
            yield _interpreter_of(host), measured
        if MESSAGE_PRICE in options.texts:
            messages, of_messages = measure_messages([pool], cluster, report_step)
            hosts |= {host.host: host for host in of_messages}
            yield _interpreter_of(of_messages[-1]), messages


def _interpreter_of(host: HostFacts) -> Interpreter:
    """The interpreter of a worker, as far as the facts of its host tell."""
    implementation, _, version = host.python.partition(" ")
    interpreter = Interpreter(
        path="",
        version=version,
        implementation=implementation,
        gil=host.gil,
        free_threaded=host.free_threaded or not host.gil,  # older workers do not tell
        jit=host.jit,
        build_flags=host.build_flags,
        architecture="",
    )
    return labelled([interpreter])[0]


def _claim(text: ClaimText, label: str, pool: str, measured: Measured) -> Claim:
    """The claim with those figures of its experiment that test it."""
    figures = [
        Figure.named(name, values)
        for name in text.figures
        if (values := measured.figures.get(name))
    ]
    reason = measured.impossible or ("" if figures else "the experiment gave no figures")
    return Claim(text.name, text.statement, text.method, label, pool, figures, reason)
