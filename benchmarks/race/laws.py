"""The laws that the races of the benchmark must keep. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.race.results import RaceBenchmark, RacedApp, RaceRun
from poolrace.producer.analysis.stats import median

Runs = Sequence[RaceRun]


@dataclass(frozen=True)
class Law:
    """A limit, the value that was measured, and the apps that break it."""

    title: str
    limit: str
    value: str
    kept: bool
    apps: tuple[str, ...] = ()
    """Apps whose races lie beyond the limit, also if few enough of them do."""


OFTEN_REGRET, OFTEN = 0.10, 0.95
MOST_REGRET = 0.25
BUSY_REGRET, BUSY_OFTEN = 0.20, 0.90
MOST_MEMORY = 1.5
VERDICT_S, CPU_BOUND_S = 45.0, 30.0
LONG_ITEM_S, MOST_EXECUTIONS = 0.1, 5000
NEARLY = 0.95
"""Share of ``LONG_ITEM_S`` from which an item counts as that long: a wait ends a little early."""


def laws_of(benchmark: RaceBenchmark) -> list[Law]:
    """The laws for the benchmark's races, quiet or beside a busy process."""
    return (
        busy_laws(benchmark.runs) if benchmark.busy else quiet_laws(benchmark.runs, benchmark.apps)
    )


def quiet_laws(runs: Runs, apps: Mapping[str, RacedApp]) -> list[Law]:
    """The laws for races on a quiet machine."""
    times_s = {name: median([run.elapsed_s for run in runs if run.app == name]) for name in apps}
    computing_s = {name: times_s[name] for name, app in apps.items() if app.computes}
    long_items = [run for run in runs if apps[run.app].item_s >= NEARLY * LONG_ITEM_S]
    return [
        _all_runs("command succeeds", runs, lambda run: not run.error),
        _share("regret", runs, OFTEN_REGRET, OFTEN),
        _most("greatest regret", f"<= {MOST_REGRET:.0%}", runs, _regret, MOST_REGRET, "{:.1%}"),
        _most("memory / leanest as fast", f"<= {MOST_MEMORY:g}", runs, _memory_ratio, MOST_MEMORY,
              "{:.2f}"),
        Law("time to the verdict, median of the apps", f"<= {VERDICT_S:g} s",
            f"{median(list(times_s.values())):.1f} s",
            median(list(times_s.values())) <= VERDICT_S,
            tuple(name for name, time_s in times_s.items() if time_s > VERDICT_S)),
        _computing(computing_s),
        _most(f"executions, items of {LONG_ITEM_S:g} s and more", f"<= {MOST_EXECUTIONS:,}",
              long_items, lambda run: run.executions, MOST_EXECUTIONS, "{:,.0f}"),
        _all_runs("limited_by", runs, lambda run: run.limited_by in apps[run.app].limits),
        _all_runs("complete", runs, lambda run: run.complete),
    ]  # fmt: skip


def busy_laws(runs: Runs) -> list[Law]:
    """The laws for races beside a busy process; regret is that against the quiet oracle.

    A race that says "not distinguishable" and names the busy machine keeps the law.
    """
    exempt = [run for run in runs if run.crowded and not run.distinguishable]
    return [
        _all_runs("command succeeds", runs, lambda run: not run.error),
        _share("regret", [run for run in runs if run not in exempt], BUSY_REGRET, BUSY_OFTEN,
               exempt=len(exempt)),
    ]  # fmt: skip


def _regret(run: RaceRun) -> float:
    """Regret of a race; a race without a recommendation misses all of the speed."""
    return 1.0 if run.regret is None else run.regret


def _memory_ratio(run: RaceRun) -> float:
    return 1.0 if run.memory_ratio is None else run.memory_ratio


def _share(title: str, runs: Runs, most: float, often: float, exempt: int = 0) -> Law:
    """The law that enough of the races, with the exempt ones, have little regret."""
    beyond = [run for run in runs if _regret(run) > most]
    total = len(runs) + exempt
    share = (total - len(beyond)) / total if total else 1.0
    limit = f"<= {most:.0%} in {often:.0%} of races"
    return Law(title, limit, f"in {share:.1%}", share >= often, _names(beyond))


def _most(
    title: str, limit: str, runs: Runs, value: Callable[[RaceRun], float], most: float, form: str
) -> Law:
    """The law that no race has a greater value."""
    beyond = [run for run in runs if value(run) > most]
    greatest = max(map(value, runs), default=None)
    text = "-" if greatest is None else form.format(greatest)
    return Law(title, limit, text, not beyond, _names(beyond))


def _all_runs(title: str, runs: Runs, holds: Callable[[RaceRun], bool]) -> Law:
    """The law that something holds for every race."""
    beyond = [run for run in runs if not holds(run)]
    value = f"{len(runs) - len(beyond)} of {len(runs)}"
    return Law(title, "every race", value, not beyond, _names(beyond))


def _computing(times_s: Mapping[str, float]) -> Law:
    """The law on the time of the apps that compute, of which each median counts."""
    slow = tuple(name for name, time_s in times_s.items() if time_s > CPU_BOUND_S)
    value = f"{max(times_s.values()):.1f} s" if times_s else "-"
    limit = f"<= {CPU_BOUND_S:g} s"
    return Law("time to the verdict, slowest CPU-bound app", limit, value, not slow, slow)


def _names(runs: Runs) -> tuple[str, ...]:
    return tuple(dict.fromkeys(run.app for run in runs))
