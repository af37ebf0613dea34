"""Measures the oracle of an app on real workers of this machine."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any, TypeVar

import psutil

from benchmarks.race.apps import App
from benchmarks.race.exhaustive import FINAL_ROUNDS, Exhausted, exhaustive, in_turn
from benchmarks.race.grid import MAX_SLOTS, grid
from benchmarks.race.oracle import Oracle, digest, with_paired
from benchmarks.race.serving import environment_of
from poolrace.producer.commands.race import command, race_options
from poolrace.producer.environment import now
from poolrace.producer.race.app_info import AppInfo, probe
from poolrace.producer.race.options import RaceOptions, base_candidates
from poolrace.producer.race.race import execute
from poolrace.producer.race.requests import Steps
from poolrace.producer.race.sandbox import open_sandbox
from poolrace.producer.race.session import RaceSession
from poolrace.producer.results.candidate import Candidate
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.pools import CORES

T = TypeVar("T")

HANG_S = 20.0
"""Seconds after which an item counts as hung, unless the app has a time limit of its own."""


@dataclass(frozen=True)
class OracleSizes:
    """Extent of the measurement of an oracle."""

    budget_s: float
    """Seconds that the oracle of one app may take."""
    window_s: float = 2.0
    """Seconds in which a lap sends items."""
    max_slots: int = MAX_SLOTS
    final_rounds: int = FINAL_ROUNDS
    pools: tuple[str, ...] = ()
    """Pools to measure; without them, all that the app's environment has."""


def key_of(app: App) -> dict[str, Any]:
    """The facts that must be equal for a stored oracle of the app to be used."""
    facts = HostFacts.collect("bench")
    files = [
        (path.relative_to(app.folder).as_posix(), path.read_bytes())
        for path in sorted(app.folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    ]
    return {
        "cpu": facts.cpu,
        "cores": facts.cores,
        "cpu_quota": facts.cpu_quota,
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "python": facts.python,
        "celery": version("celery"),
        "task": app.task,
        "options": list(app.options),
        "files": digest(files),
    }


def measure_oracle(app: App, label: str, sizes: OracleSizes) -> Oracle:
    """Measure the oracle of an app; raises an error if none of its items succeeds."""
    made_at, began = now(), time.monotonic()

    def steps(options: RaceOptions, info: AppInfo) -> Steps[Exhausted]:
        candidates = grid(sizes.pools or info.pools, CORES, sizes.max_slots)
        bases = base_candidates(info.pools)
        return exhaustive(options, candidates, CORES, bases, sizes.final_rounds)

    exhausted = _measured(app, sizes, steps)
    return Oracle(
        app=label,
        made_at=made_at,
        key=key_of(app),
        elapsed_s=time.monotonic() - began,
        item_s=exhausted.cost.duration_s,
        cpu_share=exhausted.cost.cpu_share,
        measured=exhausted.measured,
        left_out=exhausted.left_out,
    )


def measure_also(app: App, oracle: Oracle, candidate: Candidate, sizes: OracleSizes) -> Oracle:
    """The oracle with one more candidate, which is measured in turn with the best one."""
    candidates = dict.fromkeys([oracle.best.candidate, candidate])
    laps = _measured(app, sizes, lambda options, _: in_turn(options, list(candidates)))
    return with_paired(oracle, candidate, laps)


def _measured(app: App, sizes: OracleSizes, steps: Callable[[RaceOptions, AppInfo], Steps[T]]) -> T:
    """Execute requests on workers of the app, within the time budget of the sizes."""
    began = time.monotonic()
    options = _options(app, sizes)
    with environment_of(app), open_sandbox(None) as sandbox:
        info = probe(options.target, sandbox, options.items)
        with RaceSession(options, sandbox, info, began) as session:
            result, error = execute(steps(options, info), session)
    if error:
        raise error
    return result


def _options(app: App, sizes: OracleSizes) -> RaceOptions:
    """The options of a race of the app, with the laps and the time of an oracle."""
    arguments = ["--time-limit", str(HANG_S), *app.arguments, "--python", sys.executable]
    with command.make_context("race", arguments) as context:
        options = race_options(context.params)
    return replace(
        options,
        target=replace(options.target, directory=app.directory),
        budget_s=sizes.budget_s,
        window_s=sizes.window_s,
        max_executions=sys.maxsize,
    )
