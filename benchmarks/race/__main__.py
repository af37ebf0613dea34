"""``make bench-race``: measures oracles and races, stores both, and judges the races."""

import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import click

from benchmarks.race.apps import APPS, App
from benchmarks.race.laws import laws_of
from benchmarks.race.measuring import OracleSizes
from benchmarks.race.results import RaceBenchmark, newest_comparable, save
from benchmarks.race.run import ORACLE_S, Oracles, Sizes, benchmarks
from benchmarks.race.table import changes, render
from benchmarks.services import ROOT
from poolrace.producer.commands.options import Count, FiniteFloat
from poolrace.producer.results.files import write_file
from poolrace.workers.errors import PoolraceError, UsageError

RESULTS = ROOT / "benchmarks" / "results"
"""Default directory of the results."""

LATEST = {False: "race-latest.md", True: "race-busy-latest.md"}
"""File name of the tables, by whether the races ran beside a busy process."""

QUICK_APPS = ("hashing", "blocking")
"""Apps of a quick benchmark."""

QUICK = Sizes(
    OracleSizes(budget_s=60.0, window_s=0.2, max_slots=2, final_rounds=1, pools=("threads",)),
    repeat=1,
    quick=True,
    options=("--budget-s", "10", "--pool", "prefork:2", "--pool", "threads:2"),
)
"""Sizes for tests, which show that everything runs; their figures mean nothing."""


@click.command()
@click.option("--apps", "names", default="all", help="Apps to race, as in sleeping,http."
              "  [default: all]")  # fmt: skip
@click.option("--repeat", type=Count(least=1), default=5, show_default=True,
              help="Races of each app.")  # fmt: skip
@click.option("--busy", is_flag=True, help="Race beside a process that uses one core.")
@click.option("--oracle-s", type=FiniteFloat(min=1), default=ORACLE_S, show_default=True,
              help="Seconds that the oracle of an app may take.")  # fmt: skip
@click.option("--quick", is_flag=True, help="Measure two apps with tiny sizes, to see that"
              " everything runs.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=RESULTS,
              help="Directory of the results.")  # fmt: skip
def main(names: str, *, repeat: int, busy: bool, oracle_s: float, quick: bool, out: Path) -> None:
    """Measure how much speed the recommendation of a race misses, app by app."""
    try:
        apps = _apps(",".join(QUICK_APPS) if quick and names == "all" else names)
        sizes = QUICK if quick else Sizes(OracleSizes(oracle_s), repeat)
        sizes = replace(sizes, busy=busy)
        target = out / "quick" if quick else out
        oracles = Oracles(target / "oracles", sizes.oracle, _progress)
        oracles.prepare(apps)
        if not oracles.known:
            raise UsageError(f"no app has an oracle: {oracles.left_out}")
        for benchmark in benchmarks(apps, oracles, sizes, _progress):
            path = save(benchmark, target / "races")  # each round, so that a failure loses one only
        write_file(target / LATEST[busy], render(benchmark))
        click.echo(f"{render(benchmark)}\n{_changes(benchmark, path.parent)}\n\nraw values: {path}")
    except PoolraceError as error:
        click.echo(f"bench-race: {error}", err=True)
        sys.exit(error.exit_code)
    sys.exit(1 if _complaints(benchmark) else 0)


def _apps(text: str) -> dict[str, App]:
    """The apps of these names; a name that several tasks share is followed by the task's."""
    shared = Counter(app.name for app in APPS)
    apps = {
        app.name if shared[app.name] == 1 else f"{app.name}-{app.task.rpartition('.')[2]}": app
        for app in APPS
    }
    if text == "all":
        return apps
    names = [name.strip() for name in text.split(",")]
    if unknown := [name for name in names if name not in apps]:
        raise UsageError(f"--apps {', '.join(unknown)}: choose from {', '.join(apps)}")
    return {name: apps[name] for name in names}


def _progress(line: str) -> None:
    click.echo(line, err=True)


def _changes(benchmark: RaceBenchmark, directory: Path) -> str:
    if benchmark.quick:
        return "quick results are not compared with earlier ones"
    before = newest_comparable(directory, benchmark)
    if before is None:
        return "there is no earlier result of this machine to compare with"
    return changes(before, benchmark)


def _complaints(benchmark: RaceBenchmark) -> list[str]:
    """A line for each broken law and each app without an oracle; prints them."""
    failed = [f"{run.app}: {run.error}" for run in benchmark.runs if run.error]
    left_out = [f"{name} has no oracle: {why}" for name, why in benchmark.left_out.items()]
    laws = [] if benchmark.quick else [law for law in laws_of(benchmark) if not law.kept]
    broken = [f"{law.title} is {law.value}, not {law.limit}: {', '.join(law.apps)}" for law in laws]
    complaints = [*failed, *left_out, *broken]
    for line in complaints:
        click.echo(f"bench-race: {line}", err=True)
    return complaints


if __name__ == "__main__":
    main()
