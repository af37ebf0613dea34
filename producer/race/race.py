"""Runs a race: executes the requests of the strategy on real workers, and records the laps."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from poolrace.producer.analysis.race_verdict import judge
from poolrace.producer.environment import describe_this_machine, now
from poolrace.producer.processes.signals import hold_signals
from poolrace.producer.race.app_info import PROBE_S, AppInfo, probe
from poolrace.producer.race.app_process import celery_command
from poolrace.producer.race.capacity import require_race_fits
from poolrace.producer.race.items import digest
from poolrace.producer.race.options import (
    RaceOptions,
    base_candidates,
    fixed_candidates,
    pools_to_search,
)
from poolrace.producer.race.requests import Answer, GivenUp, Measure, Request, Start, Steps
from poolrace.producer.race.sandbox import open_sandbox
from poolrace.producer.race.session import RaceSession
from poolrace.producer.race.strategy import Decision, strategy
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.interruption import interruption_by
from poolrace.producer.results.race import Lap, Race
from poolrace.workers.errors import ClusterError
from poolrace.workers.pools import CORES

T = TypeVar("T")


def race(
    options: RaceOptions,
    confirm: Callable[[AppInfo], None],
    keep: Callable[[Race], None] = lambda _: None,
) -> Race:
    """Run a race; ``confirm`` is called before the task is executed for the first time.

    The time of ``confirm`` is not part of the time budget. If Ctrl-C, a signal or the loss of
    Redis ends the race, ``keep`` is called with the incomplete race, unless no item has succeeded.
    Raises ``UsageError`` if app, task or items cannot be raced, ``AllFailed`` if no item succeeds.
    """
    made_at, began = now(), time.monotonic()
    require_race_fits(options)
    with open_sandbox(options.broker) as sandbox:
        app = probe(options.target, sandbox, options.items, min(PROBE_S, options.budget_s))
        pools = pools_to_search(options.pools, app.pools, patched=app.patched)
        fixed = fixed_candidates(options.pools, options.variants)
        prepared_s = time.monotonic() - began
        confirm(app)
        began = time.monotonic() - prepared_s
        with RaceSession(options, sandbox, app, began, cut_short=True) as session:
            bases = base_candidates(app.pools)
            steps = strategy(options, pools, fixed, CORES, bases, gil=app.gil)
            decision, error = execute(steps, session)
            measured = _record(made_at, options, app, session, decision)
    if error:
        keep(measured)
        raise error
    return measured


def execute(steps: Steps[T], session: RaceSession) -> tuple[T, BaseException | None]:
    """Execute the requests of a strategy in turn, and send it the answers.

    Returns its result, and the error that interrupted it.
    """
    error: BaseException | None = None
    answer: Answer | None = None
    known = 0
    """Number of laps that the strategy knows."""
    try:
        try:
            while True:
                with hold_signals():
                    request = steps.send(answer) if answer else next(steps)
                    known = len(session.laps)
                answer = _answer(request, session)
        except GivenUp as end:
            steps.throw(end)
        except (KeyboardInterrupt, SystemExit, ClusterError) as interruption:
            if not any(lap.items for lap in session.laps):
                raise
            error = interruption
            if len(session.laps) > known:  # it was measured before the signal arrived
                steps.send(_answer_now(session, lap=session.laps[-1]))
            steps.throw(GivenUp(interruption_by(interruption)))
        raise AssertionError("a strategy that was given up has not ended")
    except StopIteration as stop:
        result: T = stop.value
        return result, error


def _answer(request: Request, session: RaceSession) -> Answer:
    started: Sequence[Candidate] = ()
    lap = None
    if isinstance(request, Start):
        started = session.start(request.candidates)
    elif isinstance(request, Measure):
        lap = session.measure(request.candidate, request.kind, max_items=request.max_items)
    else:
        session.stop(request.candidates)
    return _answer_now(session, started, lap)


def _answer_now(
    session: RaceSession, started: Sequence[Candidate] = (), lap: Lap | None = None
) -> Answer:
    return Answer(session.elapsed_s, session.executions, started, lap, session.failures)


def _record(
    made_at: str, options: RaceOptions, app: AppInfo, session: RaceSession, decision: Decision
) -> Race:
    environment = describe_this_machine()
    poolrace_version = environment.versions.get("poolrace", "?")
    versions = {"poolrace": poolrace_version, "celery": app.celery, "python": app.python}
    measured = Race(
        made_at=made_at,
        app=options.target.app,
        task=options.target.task,
        items=len(options.items),
        items_digest=digest(options.items),
        command=[*celery_command(options.target.python), "-A", options.target.app],
        queue=app.queue,
        cores=CORES,
        cores_left=session.cores_left,
        gil=app.gil,
        max_memory_bytes=options.max_memory_bytes,
        executions=session.executions,
        ended=decision.ended,
        left_out=decision.left_out,
        finalists=decision.finalists,
        environment=replace(environment, versions=versions),
        laps=tuple(session.laps),
        interruption=decision.interruption,
        budget_s=options.budget_s,
        settings=app.settings,
        sent=sorted(session.sent),
        retried=session.retried,
        failures={str(candidate): reason for candidate, reason in session.failures.items()},
    )
    return replace(measured, complete=judge(measured).complete)
