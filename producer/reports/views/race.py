"""Report of a race: table, findings in sentences, chart of throughput over slots."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from poolrace.producer.analysis.race_limit import Limit
from poolrace.producer.analysis.race_summary import CandidateSummary
from poolrace.producer.analysis.race_verdict import Verdict
from poolrace.producer.reports.drawing.svg import Axis, Drawing, Plot, round_ticks
from poolrace.producer.results.race import Race, Reason

HEADER = (
    "candidate", "items/s", "95 % from", "to", "waiting p50", "p95", "p99 ms", "running p50",
    "p95", "p99 ms", "CPU ms/item", "peak MiB", "switches/item", "waits", "failed",
)  # fmt: skip

COLUMNS = (
    "pool", "concurrency", "workers", "prefetch", "max_tasks", "kind", "round", "items", "failed",
    "items_per_s", "wall_s", "waiting_p50_s", "waiting_p95_s", "waiting_p99_s", "running_p50_s",
    "running_p95_s", "running_p99_s", "running_total_s", "own_cpu_s", "core_wait_s", "cpu_s",
    "peak_memory_bytes", "voluntary_switches", "involuntary_switches",
)  # fmt: skip

FRUGAL_SPEED = 0.7
"""Share of the recommended candidate's speed from which a frugal candidate is mentioned."""

FRUGAL_MEMORY = 0.5
"""Share of the recommended candidate's memory below which another candidate is frugal."""

LIMITS: dict[Limit, str] = {
    "cpu": "Limited by the CPU: the workers keep all available cores busy.",
    "gil": "Limited by the GIL: one thread computes at a time, and other cores stay idle.",
    "waiting": "Limited by waiting: the task mostly waits, so throughput grows with the number of"
    " items at a time.",
    "broker": "Limited by messages: the task takes less time than Celery needs to deliver it.",
    "memory": "Limited by memory: more slots would raise throughput, but would exceed"
    " --max-memory.",
    "blocking": "Limited by a blocking call: gevent cannot patch the call in which the task waits,"
    " so all greenlets of a worker stop while one of them waits.",
    "failures": "Limited by failures: failed items do not count as throughput.",
}
"""Sentence that names the limit."""

MORE_CORES = "More cores would raise throughput proportionally"
"""Sentence part about a CPU-bound task; it holds on a busy machine, too."""

CHANGES: dict[Limit, str] = {
    "cpu": f"{MORE_CORES}; more slots would not.",
    "gil": "Processes (prefork), or code that releases the GIL, would raise throughput.",
    "waiting": "Faster answers from the service that the task waits for would raise throughput."
    " If that service slows down under load or limits connections, use fewer slots.",
    "broker": "Larger items would raise throughput: pass several of them to one call.",
    "memory": "More memory, or fewer imports in the workers, would raise throughput.",
    "blocking": "A driver written in Python, or one made for gevent, would raise throughput.",
    "failures": "Fix the failing items, then race again.",
}
"""Sentence that says how to raise the limit."""

ENDED: dict[Reason, str] = {
    "gain": "twice the slots raised throughput too little",
    "top": "more slots could not be kept busy",
    "memory": "more slots would exceed the memory limit",
    "time": "the time budget was used up",
    "executions": "the number of executions was used up",
    "failures": "workers failed, hung or did not start",
}
"""Sentence part that says why a search ended or a candidate was left out."""


def summary(race: Race) -> str:
    """One line that says which task was raced, and how often it was executed."""
    return (
        f"{race.task} of {race.app}, {race.items} different item(s), executed"
        f" {race.executions:,} times by {len(race.candidates)} candidates"
    )


def proof(verdict: Verdict) -> str:
    """One line that says whether the fastest candidate is distinguishable from all other ones."""
    rounds = max((lap.round for lap in verdict.race.laps if lap.kind == "final"), default=0)
    if not verdict.distinguishable and not verdict.tied:
        missing = ", ".join([*verdict.race.left_out, *verdict.unfinished])
        return f"not distinguishable: {missing} could not be raced to the end; see below"
    if verdict.distinguishable:
        return f"distinguishable: judged by {rounds} interleaved round(s) of the finalists"
    names = ", ".join(str(tied.candidate) for tied in verdict.tied)
    return (
        f"not distinguishable from {verdict.fastest.candidate} in {rounds} interleaved round(s):"
        f" {names}"
    )


def cells(verdict: Verdict) -> list[tuple[str, ...]]:
    """Table rows, one per candidate, in the columns of ``HEADER``."""
    return [_row(candidate) for candidate in verdict.summaries]


def _row(row: CandidateSummary) -> tuple[str, ...]:
    low, high = (f"{speed:.4g}" for speed in row.ci95) if row.ci95 else ("-", "-")
    return (
        str(row.candidate),
        f"{row.items_per_s:.4g}",
        low,
        high,
        *(f"{1000 * seconds:.4g}" for seconds in (*row.waiting_s, *row.running_s)),
        f"{1000 * row.cpu_s_per_item:.3g}",
        f"{_mib(row):.0f}",
        f"{row.switches_per_item:.1f}",
        f"{row.waiting_share:.0%}",
        str(row.failures.total()),
    )


def findings(verdict: Verdict) -> list[str]:
    """Sentences of the report, from the answer to its reasons."""
    return [
        _answer(verdict),
        *_over_memory(verdict),
        _cheapest(verdict),
        *_recommended(verdict),
        *_frugal(verdict),
        LIMITS[verdict.limited_by],
        *_blocked(verdict),
        *_busy(verdict),
        *_failed(verdict),
        _change(verdict),
        f"Run: {verdict.worker_command}",
        "In the app: "
        + ", ".join(f"{name} = {value!r}" for name, value in verdict.settings.items()),
    ]


def notes(race: Race) -> list[str]:
    """Sentences about the end of each pool's search and the candidates that were left out."""
    return [
        *(
            f"{pool}: concurrency was not raised further, because {ENDED[reason]}"
            for pool, reason in race.ended.items()
        ),
        *(
            f"{name} was left out, because {ENDED[reason]}"
            for name, reason in race.left_out.items()
        ),
    ]


def raw(race: Race) -> list[list[Any]]:
    """Raw values of all laps, in the columns of ``COLUMNS``."""
    return [
        [
            *lap.candidate.to_json().values(),
            *(lap.kind, lap.round, lap.items, sum(lap.failures.values())),
            *(lap.items_per_s, lap.wall_s, *lap.waiting_s, *lap.running_s),
            *(lap.running_total_s, lap.own_cpu_s, lap.core_wait_s, lap.cpu_s),
            *(lap.peak_memory_bytes, lap.voluntary_switches, lap.involuntary_switches),
        ]
        for lap in race.laps
    ]


def chart(verdict: Verdict) -> Drawing:
    """Chart of throughput over slots, with one curve per pool."""
    summaries = verdict.summaries
    slots = sorted({row.candidate.slots for row in summaries})
    highest = 1.12 * max(row.ci95[1] if row.ci95 else row.items_per_s for row in summaries) or 1.0
    x = Axis("slots", slots[0] * 0.8, slots[-1] * 1.25, slots, log=True)
    label = f"{verdict.race.task}: throughput over concurrency"
    plot = Plot(label, x, Axis("items/s", 0.0, highest, round_ticks(highest)))
    by_pool = sorted(summaries, key=lambda row: (row.candidate.pool, row.candidate.slots))
    for pool, rows in groupby(by_pool, key=lambda row: row.candidate.pool):
        points = [(row.candidate.slots, row.items_per_s) for row in rows]
        plot.curve(pool, pool, points)
    for row in summaries:
        low, high = row.ci95 or (row.items_per_s, row.items_per_s)
        plot.point(row.candidate.slots, row.items_per_s, low, high)
    return plot.drawing()


def _answer(verdict: Verdict) -> str:
    """Sentence that names the fastest candidate, and its lead."""
    best = verdict.fastest
    if verdict.tied:
        *names, last = (str(row.candidate) for row in (best, *verdict.tied))
        tied = f"{', '.join(names)} and {last} are not distinguishable"
        clear = f": {best.candidate.pool} is the fastest pool" if verdict.pool_is_clear else ""
        return f"{tied}, at about {best.items_per_s:.4g} items/s{clear}."
    other_finalists = [
        row for row in verdict.summaries if row.candidate in verdict.race.finalists and row != best
    ]
    among = "" if verdict.distinguishable else " of those that were raced to the end"
    fastest = f"{best.candidate} is the fastest{among}: {best.items_per_s:.4g} items/s"
    if not other_finalists:
        return f"{fastest}. There was no other finalist."
    second = other_finalists[0]
    ratio = best.items_per_s / max(second.items_per_s, 1e-9)
    return f"{fastest}, {ratio:.2f} times as fast as {second.candidate}, the next finalist."


def _over_memory(verdict: Verdict) -> Iterator[str]:
    """Sentence that explains why the first row of the table is not the fastest candidate."""
    first = verdict.summaries[0]
    if first.peak_memory_bytes > verdict.race.max_memory_bytes:
        yield (
            f"{first.candidate} reached {first.items_per_s:.4g} items/s in the search, but needs"
            " more memory than --max-memory allows."
        )


def _cheapest(verdict: Verdict) -> str:
    """Sentence that names the candidate with the least memory."""
    cheapest, fastest = verdict.cheapest, verdict.fastest
    if cheapest == fastest:
        needs = f"{fastest.candidate} needs" if verdict.tied else "It also needs"
        return f"{needs} the least memory ({_mib(fastest):.0f} MiB) of all candidates within 5 %."
    return (
        f"{cheapest.candidate} needs the least memory of all candidates within 5 % of"
        f" {fastest.candidate}: {_mib(cheapest):.0f} MiB instead of {_mib(fastest):.0f} MiB."
    )


def _recommended(verdict: Verdict) -> Iterator[str]:
    """Sentence that names the candidate to deploy, if not yet named as fastest or cheapest."""
    recommended, best = verdict.recommended, verdict.fastest
    if recommended not in (best, verdict.cheapest):
        yield (
            f"{recommended.candidate} is recommended: it is not distinguishable from"
            f" {best.candidate}, and needs {_mib(recommended):.0f} MiB and"
            f" {recommended.candidate.slots} slot(s) instead of {_mib(best):.0f} MiB and"
            f" {best.candidate.slots}."
        )


def _frugal(verdict: Verdict) -> Iterator[str]:
    """Sentence about a slower candidate that needs much less memory."""
    best = verdict.recommended
    frugal = [
        row
        for row in verdict.summaries
        if row.items_per_s >= FRUGAL_SPEED * best.items_per_s > 0
        and row.peak_memory_bytes < FRUGAL_MEMORY * best.peak_memory_bytes
    ]
    if frugal:
        row = max(frugal, key=lambda row: row.items_per_s)
        yield (
            f"{row.candidate} reaches {row.items_per_s / best.items_per_s:.0%} of the speed of"
            f" {best.candidate} with {row.peak_memory_bytes / best.peak_memory_bytes:.0%} of its"
            " memory."
        )


def _blocked(verdict: Verdict) -> Iterator[str]:
    for row in verdict.blocking:
        yield (
            f"Warning: under {row.candidate} only {row.overlap:.1f} item(s) ran at a time, although"
            f" the task waits {verdict.waiting_share:.0%} of its time: it blocks in a call that"
            " gevent cannot patch."
        )


def _busy(verdict: Verdict) -> Iterator[str]:
    if verdict.busy_machine:
        yield (
            f"The machine was busy: other processes left {verdict.race.cores_left:.1f} of"
            f" {verdict.race.cores} cores free. More slots only take cores from those processes, so"
            " the best number of slots is not known. Race again on a quiet machine."
        )


def _failed(verdict: Verdict) -> Iterator[str]:
    failing = [row for row in verdict.summaries if row.failures]
    for row in failing[:1]:
        kinds = ", ".join(f"{name} ({number})" for name, number in row.failures.most_common())
        yield f"{row.failed_share:.1%} of the items failed under {row.candidate}: {kinds}."


def _change(verdict: Verdict) -> str:
    """Sentence that says how to raise the limit."""
    if verdict.limited_by == "cpu" and verdict.busy_machine:
        return f"{MORE_CORES}."  # a busy machine does not show the effect of more slots
    return CHANGES[verdict.limited_by]


def _mib(row: CandidateSummary) -> float:
    return row.peak_memory_bytes / 2**20
