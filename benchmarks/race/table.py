"""Renders the benchmark of races as Markdown tables. Pure: the same file gives the same text."""

from collections import Counter
from collections.abc import Sequence

from benchmarks.markdown import origin, table
from benchmarks.race.laws import Law, laws_of
from benchmarks.race.results import RaceBenchmark, RaceRun
from poolrace.producer.analysis.stats import median

EMPTY = "-"
"""Text of a cell without a value."""

ENOUGH_RACES = 5
"""Number of races before and now from which a difference counts. If all of one side are beyond all
of the other, its probability by chance is 2 in 252."""

APP_HEAD = (
    "app", "oracle", "items/s", "recommended", "regret, median", "worst", "memory / leanest, worst",
    "time, median", "executions, most", "limited_by", "right", "complete", "distinguishable",
)  # fmt: skip


def render(benchmark: RaceBenchmark) -> str:
    """The tables of apps and laws, the apps left out, and the machine."""
    repeat = max((run.round for run in benchmark.runs), default=0)
    beside = " beside a busy process" if benchmark.busy else ""
    rounds = f"{repeat} race(s) per app{beside}"
    quick = "Quick: tiny sizes, whose figures mean nothing." if benchmark.quick else ""
    parts = [
        quick,
        apps_table(benchmark),
        "" if benchmark.quick else laws_table(laws_of(benchmark)),
        _left_out(benchmark),
        origin(benchmark.made_at, rounds, benchmark.environment),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def apps_table(benchmark: RaceBenchmark) -> str:
    """A line for each app: its oracle, and the figures of its races."""
    return table(APP_HEAD, [_app_line(benchmark, name) for name in benchmark.apps])


def laws_table(laws: Sequence[Law]) -> str:
    """A line for each law: limit, measured value, and the apps beyond the limit."""
    lines = [
        (law.title, law.limit, law.value, "yes" if law.kept else "no", ", ".join(law.apps) or EMPTY)
        for law in laws
    ]
    return table(("law", "limit", "measured", "kept", "apps beyond the limit"), lines)


def changes(before: RaceBenchmark, now: RaceBenchmark) -> str:
    """A table of the changes since an earlier benchmark, a line for each app in both."""
    head = ("app", f"regret {before.made_at}", "now", "in words", "time", "now", "in words")
    lines = []
    for name in now.apps:
        runs, earlier = now.runs_of(name), before.runs_of(name)
        if runs and earlier:
            regrets = [run.regret for run in runs if run.regret is not None]
            earlier_regrets = [run.regret for run in earlier if run.regret is not None]
            times_s = [run.elapsed_s for run in runs]
            earlier_times_s = [run.elapsed_s for run in earlier]
            lines.append((
                name,
                _percent(earlier_regrets), _percent(regrets), compare(earlier_regrets, regrets),
                _seconds(earlier_times_s), _seconds(times_s), compare(earlier_times_s, times_s),
            ))  # fmt: skip
    return table(head, lines)


def compare(before: Sequence[float], now: Sequence[float]) -> str:
    """``more``, ``less`` or ``not distinguishable``."""
    if min(len(before), len(now)) >= ENOUGH_RACES:
        if min(now) > max(before):
            return "more"
        if max(now) < min(before):
            return "less"
    return "not distinguishable"


def _app_line(benchmark: RaceBenchmark, name: str) -> Sequence[str]:
    app, runs = benchmark.apps[name], benchmark.runs_of(name)
    regrets = [run.regret for run in runs if run.regret is not None]
    ratios = [run.memory_ratio for run in runs if run.memory_ratio is not None]
    unfinished = f" ({app.unfinished} not measured)" if app.unfinished else ""
    return (
        name,
        f"{app.best}{unfinished}",
        f"{app.best_items_per_s:.4g}",
        _counted([str(run.recommended or run.error or "none") for run in runs]),
        _percent(regrets),
        f"{max(regrets):.1%}" if regrets else EMPTY,
        f"{max(ratios):.2f}" if ratios else EMPTY,
        _seconds([run.elapsed_s for run in runs]),
        f"{max((run.executions for run in runs), default=0):,}",
        _counted([run.limited_by or "none" for run in runs]),
        _share(runs, [run for run in runs if run.limited_by in app.limits]),
        _share(runs, [run for run in runs if run.complete]),
        _share(runs, [run for run in runs if run.distinguishable]),
    )


def _left_out(benchmark: RaceBenchmark) -> str:
    lines = [f"- {name}: {why}" for name, why in benchmark.left_out.items()]
    return "\n".join(["Without an oracle:", "", *lines]) if lines else ""


def _counted(texts: Sequence[str]) -> str:
    """The different texts, the most frequent first, with their number if there are several."""
    counts = Counter(text.replace("|", "/") for text in texts).most_common()
    if len(counts) == 1:
        return counts[0][0]
    return ", ".join(f"{text} ({number})" for text, number in counts) or EMPTY


def _share(runs: Sequence[RaceRun], chosen: Sequence[RaceRun]) -> str:
    return f"{len(chosen)} of {len(runs)}"


def _percent(values: Sequence[float]) -> str:
    return f"{median(values):.1%}" if values else EMPTY


def _seconds(values: Sequence[float]) -> str:
    return f"{median(values):.1f} s" if values else EMPTY
