"""Runs a race: executes the requests of the strategy on real workers, and records the laps."""

from collections.abc import Callable
from dataclasses import replace

from poolrace.producer.environment import describe_this_machine, now
from poolrace.producer.race.app_info import AppInfo, celery_command, probe
from poolrace.producer.race.capacity import require_race_fits
from poolrace.producer.race.options import RaceOptions, fixed_candidates, pools_to_search
from poolrace.producer.race.requests import Answer, Measure, Request, Start, Steps
from poolrace.producer.race.sandbox import open_sandbox
from poolrace.producer.race.session import RaceSession
from poolrace.producer.race.strategy import Decision, strategy
from poolrace.producer.results.race import Race
from poolrace.workers.pools import CORES


def race(options: RaceOptions, confirm: Callable[[AppInfo], None]) -> Race:
    """Run a race; ``confirm`` is called before the task is executed for the first time.

    Raises ``UsageError`` if app, task or items cannot be raced, ``AllFailed`` if no item succeeds.
    """
    made_at = now()
    require_race_fits(options)
    with open_sandbox(options.broker) as sandbox:
        app = probe(options.target, sandbox, options.items)
        pools = pools_to_search(options.pools, app.pools)
        fixed = fixed_candidates(options.pools, options.variants)
        confirm(app)
        with RaceSession(options, sandbox, app) as session:
            decision = _execute(strategy(options, pools, fixed, CORES), session)
            return _record(made_at, options, app, session, decision)


def _execute(steps: Steps[Decision], session: RaceSession) -> Decision:
    """Execute the requests of the strategy in turn, and send it the answers."""
    request = next(steps)
    while True:
        answer = _answer(request, session)
        try:
            request = steps.send(answer)
        except StopIteration as stop:
            decision: Decision = stop.value
            return decision


def _answer(request: Request, session: RaceSession) -> Answer:
    started, lap = [], None
    if isinstance(request, Start):
        started = session.start(request.candidates)
    elif isinstance(request, Measure):
        lap = session.measure(request.candidate, request.kind)
    else:
        session.stop(request.candidates)
    return Answer(session.elapsed_s, session.executions, started, lap)


def _record(
    made_at: str, options: RaceOptions, app: AppInfo, session: RaceSession, decision: Decision
) -> Race:
    environment = describe_this_machine()
    poolrace_version = environment.versions.get("poolrace", "?")
    versions = {"poolrace": poolrace_version, "celery": app.celery, "python": app.python}
    return Race(
        made_at=made_at,
        app=options.target.app,
        task=options.target.task,
        items=len(options.items),
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
    )
