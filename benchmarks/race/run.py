"""Measures the oracles that are missing, then races all apps in rounds. Prints nothing."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from benchmarks.race.apps import App
from benchmarks.race.measuring import OracleSizes, key_of, measure_also, measure_oracle
from benchmarks.race.oracle import Oracle, load, path_of, save
from benchmarks.race.races import run_race
from benchmarks.race.results import RaceBenchmark, RaceRun, raced_app
from poolrace.producer.environment import describe, now
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.rounds import rotated
from poolrace.workers.errors import PoolraceError
from poolrace.workers.host_facts import HostFacts

TOTAL_S = 7200.0
"""Seconds that the oracles of all apps may take together."""

ORACLE_S = 420.0
"""Seconds that the oracle of one app may take: sixteen of them fit into ``TOTAL_S``."""

Progress = Callable[[str], None]
"""Takes a line about the progress of the measurements."""


@dataclass(frozen=True)
class Sizes:
    """Extent of a benchmark of races."""

    oracle: OracleSizes
    repeat: int = 5
    busy: bool = False
    quick: bool = False
    options: Sequence[str] = ()
    """Further options of each race."""


@dataclass
class Oracles:
    """The oracles of the apps, stored in a directory and measured where they are missing."""

    directory: Path
    sizes: OracleSizes
    progress: Progress
    known: dict[str, Oracle] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    """App -> the error because of which it has no oracle."""

    def prepare(self, apps: Mapping[str, App]) -> None:
        """Load the stored oracles, then measure the missing ones; each is stored at once."""
        stored = {
            label: load(path_of(self.directory, label, key_of(app))) for label, app in apps.items()
        }
        self.known |= {label: oracle for label, oracle in stored.items() if oracle}
        missing = [label for label in apps if label not in self.known]
        began = time.monotonic()
        for number, label in enumerate(missing):
            left_s = TOTAL_S - (time.monotonic() - began)
            budget_s = oracle_budget_s(self.sizes.budget_s, left_s, len(missing) - number)
            self.progress(f"oracle of {label}, {budget_s:.0f} s at most")
            try:
                oracle = measure_oracle(apps[label], label, replace(self.sizes, budget_s=budget_s))
            except PoolraceError as error:
                self.left_out[label] = str(error)
                self.progress(f"oracle of {label}: {error}")
                continue
            self._keep(oracle)
            self.progress(
                f"oracle of {label}: {oracle.best.candidate}, {oracle.best_speed:.4g} items/s of"
                f" {len(oracle.measured)} candidates in {oracle.elapsed_s:.0f} s"
            )

    def require_measured(self, label: str, app: App, candidate: Candidate) -> None:
        """Measure a recommended candidate beside the best one, unless the oracle knows enough."""
        oracle = self.known[label]
        if not oracle.has_compared(candidate):
            self.progress(f"oracle of {label}: {candidate} beside {oracle.best.candidate}")
            self._keep(measure_also(app, oracle, candidate, self.sizes))

    def judged(self, run: RaceRun) -> RaceRun:
        """The race with its regret, by the oracle as it is now."""
        oracle = self.known[run.app]
        if run.recommended is None or oracle.of(run.recommended) is None:
            return run
        return replace(
            run,
            regret=oracle.regret(run.recommended),
            memory_ratio=oracle.memory_ratio(run.recommended),
        )

    def _keep(self, oracle: Oracle) -> None:
        self.known[oracle.app] = oracle
        save(oracle, self.directory)


def benchmarks(
    apps: Mapping[str, App], oracles: Oracles, sizes: Sizes, progress: Progress
) -> Iterator[RaceBenchmark]:
    """Race the apps that have an oracle; after each round, yield the races of all rounds so far."""
    made_at = now()
    environment = asdict(describe([HostFacts.collect("bench")]))
    raced = [label for label in apps if label in oracles.known]
    runs: list[RaceRun] = []
    for number in range(1, sizes.repeat + 1):
        for label in rotated(raced, number - 1):
            run = run_race(apps[label], label, number, options=sizes.options, busy=sizes.busy)
            if run.recommended:
                oracles.require_measured(label, apps[label], run.recommended)
            runs.append(run)
            progress(f"race {number}/{sizes.repeat} of {label}: {_described(oracles.judged(run))}")
        yield RaceBenchmark(
            made_at=made_at,
            quick=sizes.quick,
            busy=sizes.busy,
            environment=environment,
            apps={
                label: raced_app(
                    oracles.known[label],
                    computes=apps[label].kind == "computes",
                    limits=apps[label].limits,
                )
                for label in raced
            },
            left_out=dict(oracles.left_out),
            runs=[oracles.judged(run) for run in runs],
        )


def oracle_budget_s(most_s: float, left_s: float, missing: int) -> float:
    """Seconds for the next oracle: its share of the time that is left, and at most ``most_s``."""
    return min(most_s, max(left_s, 0.0) / missing)


def _described(run: RaceRun) -> str:
    if run.error:
        return f"failed after {run.elapsed_s:.0f} s: {run.error}"
    regret = f"regret {run.regret:.1%}" if run.regret is not None else "no regret known"
    return f"{run.recommended}, {regret}, in {run.elapsed_s:.0f} s, limited by {run.limited_by}"
