"""A race: its table, what it shows in plain words, throughput over concurrency."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from poolrace.producer.analysis.race_summary import CandidateSummary
from poolrace.producer.analysis.race_verdict import Verdict
from poolrace.producer.reports.drawing.svg import Axis, Drawing, Plot, round_ticks
from poolrace.producer.results.race import Race

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

WORTH = 0.7
"""So much of the speed, for less than half of the memory, is worth a sentence."""

LIMITS = {
    "cpu": "The CPU limits it: all cores that it can use compute.",
    "gil": "The GIL limits it: one thread computes at a time, and other cores stay idle.",
    "waiting": "Waiting limits it: the task waits for others, and more at a time wait at once.",
    "broker": "Messages limit it: the task takes less time than Celery needs to deliver it.",
    "memory": "Memory limits it: more would still gain, and would need more than --max-memory.",
    "blocking": "A blocking call limits greenlets: the task waits in a call that gevent cannot"
    " patch, so all greenlets of a worker stand still while one waits.",
    "failures": "Failures limit it: items that fail count nothing.",
}

CHANGES = {
    "cpu": "More cores would change the answer, in proportion; more slots would not.",
    "gil": "Processes (prefork) or code that releases the GIL would change the answer.",
    "waiting": "Faster answers to what the task waits for would change the numbers; an answerer"
    " that is slower for many at a time, or limits connections, the concurrency.",
    "broker": "Larger items would change the answer: put several into one call.",
    "memory": "More memory, or a smaller import in the workers, would change the answer.",
    "blocking": "A driver in pure Python, or one made for gevent, would change the answer.",
    "failures": "Mending what fails would change the answer: race again.",
}

ENDED = {
    "gain": "twice its slots gained too little",
    "top": "more slots than that cannot be busy",
    "memory": "more would not fit into memory",
    "time": "the time was over",
    "executions": "the number of executions was used up",
    "failures": "its workers failed, hung or did not start",
}


def summary(race: Race) -> str:
    """What was raced, in one line."""
    return (
        f"{race.task} of {race.app}, {race.items} different item(s), executed"
        f" {race.executions:,} times by {len(race.candidates)} candidates"
    )


def proof(verdict: Verdict) -> str:
    """How far the figures can be trusted."""
    rounds = max((it.round for it in verdict.race.laps if it.kind == "final"), default=0)
    if not verdict.distinguishable and not verdict.alike:
        missing = ", ".join([*verdict.race.left_out, *verdict.unfinished])
        return f"not distinguishable: {missing} could not be raced to the end; see below"
    if verdict.distinguishable:
        return f"distinguishable: judged by {rounds} interleaved round(s) of the finalists"
    names = ", ".join(str(it.candidate) for it in verdict.alike)
    return (
        f"not distinguishable from {verdict.fastest.candidate} in {rounds} interleaved round(s):"
        f" {names}"
    )


def cells(verdict: Verdict) -> list[tuple[str, ...]]:
    """The candidates as text, in the order of ``HEADER``."""
    return [_cells(it) for it in verdict.standings]


def _cells(it: CandidateSummary) -> tuple[str, ...]:
    low, high = (f"{speed:.4g}" for speed in it.ci95) if it.ci95 else ("-", "-")
    return (
        str(it.candidate),
        f"{it.items_per_s:.4g}",
        low,
        high,
        *(f"{1000 * seconds:.4g}" for seconds in (*it.waiting_s, *it.running_s)),
        f"{1000 * it.cpu_s_per_item:.3g}",
        f"{it.peak_memory_bytes / 2**20:.0f}",
        f"{it.switches_per_item:.1f}",
        f"{it.waiting_share:.0%}",
        str(it.failures.total()),
    )


def findings(verdict: Verdict) -> list[str]:
    """The verdict in words, from the answer to its reasons."""
    return [
        _answer(verdict),
        *_too_large(verdict),
        _cheap(verdict),
        *_choice(verdict),
        *_saving(verdict),
        LIMITS[verdict.limited_by],
        *_blocked(verdict),
        *_busy(verdict),
        *_failed(verdict),
        CHANGES[verdict.limited_by],
        f"Run: {verdict.worker_command}",
        "In the app: " + ", ".join(f"{name} = {it!r}" for name, it in verdict.settings.items()),
    ]


def notes(race: Race) -> list[str]:
    """Where the search ended, pool by pool, and who is missing."""
    return [
        *(f"{pool} was not raised further: {ENDED[why]}" for pool, why in race.ended.items()),
        *(f"{name} is out: {ENDED[why]}" for name, why in race.left_out.items()),
    ]


def raw(race: Race) -> list[list[Any]]:
    """The laps, in the order of ``COLUMNS``."""
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
    """Throughput over slots, a curve a pool."""
    table = verdict.standings
    slots = sorted({it.candidate.slots for it in table})
    highest = 1.12 * max(it.ci95[1] if it.ci95 else it.items_per_s for it in table) or 1.0
    x = Axis("slots", slots[0] * 0.8, slots[-1] * 1.25, slots, log=True)
    label = f"{verdict.race.task}: throughput over concurrency"
    plot = Plot(label, x, Axis("items/s", 0.0, highest, round_ticks(highest)))
    by_pool = sorted(table, key=lambda it: (it.candidate.pool, it.candidate.slots))
    for pool, found in groupby(by_pool, key=lambda it: it.candidate.pool):
        points = [(it.candidate.slots, it.items_per_s) for it in found]
        plot.curve(pool, pool, points)
    for it in table:
        low, high = it.ci95 or (it.items_per_s, it.items_per_s)
        plot.point(it.candidate.slots, it.items_per_s, low, high)
    return plot.drawing()


def _answer(verdict: Verdict) -> str:
    best = verdict.fastest
    if verdict.alike:
        *names, last = (str(it.candidate) for it in (best, *verdict.alike))
        said = f"{', '.join(names)} and {last} are not distinguishable"
        clear = f": {best.candidate.pool} is the fastest pool" if verdict.pool_is_clear else ""
        return f"{said}, at about {best.items_per_s:.4g} items/s{clear}."
    others = [it for it in verdict.standings if it.candidate in verdict.race.finalists]
    others = [it for it in others if it != best]
    among = "" if verdict.distinguishable else " of those that were raced to the end"
    said = f"{best.candidate} is the fastest{among}: {best.items_per_s:.4g} items/s"
    if not others:
        return f"{said}; nobody else was in the finals."
    ratio = best.items_per_s / max(others[0].items_per_s, 1e-9)
    return f"{said}, {ratio:.2f} times {others[0].candidate}, the next one."


def _too_large(verdict: Verdict) -> Iterator[str]:
    """Why the first of the table is not the answer."""
    first = verdict.standings[0]
    if first.peak_memory_bytes > verdict.race.max_memory_bytes:
        yield (
            f"{first.candidate} reached {first.items_per_s:.4g} items/s in the search, with more"
            " memory than --max-memory allows."
        )


def _cheap(verdict: Verdict) -> str:
    one, other = verdict.cheapest, verdict.fastest
    size = f"{one.peak_memory_bytes / 2**20:.0f} MiB"
    if one == other:
        return f"Nothing as fast, to 5 %, takes less memory than its {size}."
    return (
        f"{one.candidate} is the cheapest within 5 % of it: {size} instead of"
        f" {other.peak_memory_bytes / 2**20:.0f} MiB."
    )


def _choice(verdict: Verdict) -> Iterator[str]:
    """What is to be run, if that is neither the fastest nor the cheapest."""
    chosen, best = verdict.recommended, verdict.fastest
    if chosen not in (best, verdict.cheapest):
        yield (
            f"{chosen.candidate} is the one to run: it cannot be told from {best.candidate}, and"
            f" takes {chosen.peak_memory_bytes / 2**20:.0f} MiB and {chosen.candidate.slots}"
            f" slot(s) instead of {best.peak_memory_bytes / 2**20:.0f} MiB and"
            f" {best.candidate.slots}."
        )


def _saving(verdict: Verdict) -> Iterator[str]:
    """Who is slower, and takes so little memory that it may be the better choice all the same."""
    best = verdict.recommended
    others = [
        it
        for it in verdict.standings
        if it.items_per_s >= WORTH * best.items_per_s
        and it.peak_memory_bytes < best.peak_memory_bytes / 2
    ]
    if others:
        it = max(others, key=lambda it: it.items_per_s)
        yield (
            f"With {it.peak_memory_bytes / best.peak_memory_bytes:.0%} of its memory"
            f" {it.candidate} gives {it.items_per_s / best.items_per_s:.0%} of its speed."
        )


def _blocked(verdict: Verdict) -> Iterator[str]:
    for it in verdict.blocking:
        yield (
            f"Warning: under {it.candidate} {it.overlap:.1f} item(s) ran at a time although the"
            f" task waits {verdict.waiting_share:.0%} of its time: it blocks in a call that"
            " gevent cannot patch."
        )


def _busy(verdict: Verdict) -> Iterator[str]:
    if verdict.race.crowded:
        yield (
            f"Others leave {verdict.race.cores_left:.1f} of {verdict.race.cores} cores: more slots"
            " win cores from them, so how many suit cannot be told. Race again when it is quiet."
        )


def _failed(verdict: Verdict) -> Iterator[str]:
    found = [it for it in verdict.standings if it.failures]
    for it in found[:1]:
        kinds = ", ".join(f"{name} ({n})" for name, n in it.failures.most_common())
        yield f"{it.failed_share:.1%} of the items failed under {it.candidate}: {kinds}."
