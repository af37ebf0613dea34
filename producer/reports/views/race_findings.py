"""Sentences of the report of a race: the answer, its reasons, and what was not compared."""

from collections.abc import Iterator

from poolrace.producer.analysis.race_limit import Limit
from poolrace.producer.analysis.race_summary import CandidateSummary
from poolrace.producer.analysis.race_verdict import Verdict
from poolrace.producer.analysis.significance import MIN_ROUNDS
from poolrace.producer.reports.views.race_hints import hints, pool_setting
from poolrace.producer.results.interruption import Interruption
from poolrace.producer.results.race import Race, Reason

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
    "blocked": "its greenlets stand still while one of them waits",
    "slower": "it cannot become as fast as the fastest pool",
    "memory": "more slots would exceed the memory limit",
    "time": "the time budget was used up",
    "executions": "the number of executions was used up",
    "failures": "its workers failed, hung or did not start",
    "interrupted": "the race was interrupted",
}
"""Sentence part that says why a search ended or a candidate was left out."""


INTERRUPTIONS: dict[Interruption, str] = {
    "interrupted": "the race was interrupted",
    "cluster lost": "the connection to Redis was lost",
    "failed": "the race failed",
}
"""Sentence part that names an interruption."""

BUDGET_FACTOR = 2.0
"""Ratio of the time budget that is proposed to the one that was used up, at least."""

BUDGET_ITEMS = 60
"""Number of items one after the other that the proposed time budget is enough for, at least."""


def findings(verdict: Verdict) -> list[str]:
    """Sentences of the report, from the answer to its reasons."""
    if not verdict.conclusive:
        sentences = (_incomplete, _blocked, hints, _busy, _failed)
        return [line for sentence in sentences for line in sentence(verdict)]
    return [
        _answer(verdict),
        *_incomplete(verdict),
        *_over_memory(verdict),
        *_cheapest(verdict),
        *_recommended(verdict),
        *_frugal(verdict),
        _limit(verdict),
        *_blocked(verdict),
        *hints(verdict),
        *_busy(verdict),
        *_failed(verdict),
        _change(verdict),
        *pool_setting(verdict),
        f"Run: {verdict.worker_command}",
        "In the app: "
        + ", ".join(f"{name} = {value!r}" for name, value in verdict.settings.items()),
    ]


def _incomplete(verdict: Verdict) -> Iterator[str]:
    """Sentence that says what was not compared, why, and which budget may be enough."""
    if verdict.complete:
        return
    race, gaps = verdict.race, verdict.gaps
    reasons = [INTERRUPTIONS[race.interruption]] if race.interruption else []
    reasons += [
        f"{name} was not measured, because {because(race, name, reason)}"
        for name, reason in gaps.never_measured.items()
    ]
    reasons += [
        f"{pool} may be faster with more slots, but {ENDED[reason]}"
        for pool, reason in gaps.unfinished.items()
        if pool not in gaps.never_measured
    ]
    if gaps.rounds is not None:
        reasons.append(f"the finals had {gaps.rounds} of at least {MIN_ROUNDS} rounds")
    yield f"Incomplete: {'; '.join(reasons)}."
    out_of_time = "time" in {*gaps.never_measured.values(), *gaps.unfinished.values()}
    if race.budget_s and (out_of_time or gaps.rounds is not None):
        yield f"Race again with more time: --budget-s {_enough_s(race):.0f}"


def because(race: Race, name: str, reason: Reason) -> str:
    """Why a pool or candidate was left out: its first failure if one is known."""
    pool = name.partition(":")[0]
    known = [
        failure
        for failed, failure in race.failures.items()
        if failed == name or (name == pool and failed.partition(":")[0] == pool)
    ]
    return known[0] if reason == "failures" and known else ENDED[reason]


def _enough_s(race: Race) -> float:
    """Time budget in seconds that is enough for a verdict, as a rough estimate."""
    longest_s = max(lap.running_s[0] for lap in race.laps)
    return max(BUDGET_FACTOR * race.budget_s, BUDGET_ITEMS * longest_s)


def _answer(verdict: Verdict) -> str:
    """Sentence that names the fastest candidate, and its lead."""
    best = verdict.fastest
    if verdict.tied:
        if verdict.gaps.rounds is not None:
            return (
                f"{best.candidate} reached the most so far, {best.items_per_s:.4g} items/s, but"
                f" {verdict.gaps.rounds} round(s) are too few to call it the fastest."
            )
        *names, last = (str(row.candidate) for row in (best, *verdict.tied))
        tied = f"{', '.join(names)} and {last} are not distinguishable"
        clear = f": {best.candidate.pool} is the fastest pool" if verdict.pool_is_clear else ""
        return f"{tied}, at about {best.items_per_s:.4g} items/s{clear}."
    other_finalists = [
        row for row in verdict.summaries if row.candidate in verdict.race.finalists and row != best
    ]
    if not verdict.compared or not other_finalists:
        return (
            f"{best.candidate} reached {best.items_per_s:.4g} items/s;"
            " no other candidate was raced to the end."
        )
    among = "" if verdict.distinguishable else " of those that were raced to the end"
    fastest = f"{best.candidate} is the fastest{among}: {best.items_per_s:.4g} items/s"
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


def _cheapest(verdict: Verdict) -> Iterator[str]:
    """Sentence that names the candidate with the least memory, if memory is bounded."""
    cheapest, fastest = verdict.cheapest, verdict.fastest
    if cheapest is None:
        return
    if cheapest == fastest:
        needs = f"{fastest.candidate} needs" if verdict.tied else "It also needs"
        yield f"{needs} the least memory ({mib(fastest):.0f} MiB) of all candidates within 5 %."
        return
    yield (
        f"{cheapest.candidate} needs the least memory of all candidates within 5 % of"
        f" {fastest.candidate}: {mib(cheapest):.0f} MiB instead of {mib(fastest):.0f} MiB."
    )


def _recommended(verdict: Verdict) -> Iterator[str]:
    """Sentence that names the candidate to deploy, if not yet named as fastest or cheapest."""
    recommended, best = verdict.recommended, verdict.fastest
    if best.candidate in verdict.growing:
        return  # the warning about memory names the recommended candidate
    if recommended not in (best, verdict.cheapest):
        yield (
            f"{recommended.candidate} is recommended: it is not distinguishable from"
            f" {best.candidate}, and needs {mib(recommended):.0f} MiB and"
            f" {recommended.candidate.slots} slot(s) instead of {mib(best):.0f} MiB and"
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
        and row.candidate not in verdict.growing
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


def _limit(verdict: Verdict) -> str:
    """Sentence that names the limit."""
    if verdict.limited_by == "waiting" and (service := verdict.saturation):
        return (
            "Limited by the service that the task waits for: throughput stays at about"
            f" {service.items_per_s:.4g} items/s from {service.slots} slots on, although cores are"
            " idle. With more slots, items only wait longer."
        )
    return LIMITS[verdict.limited_by]


def _change(verdict: Verdict) -> str:
    """Sentence that says how to raise the limit."""
    if verdict.limited_by == "waiting" and verdict.saturation:
        return "A service that answers more items at a time would raise throughput."
    if verdict.limited_by == "cpu" and verdict.busy_machine:
        return f"{MORE_CORES}."  # a busy machine does not show the effect of more slots
    return CHANGES[verdict.limited_by]


def mib(row: CandidateSummary) -> float:
    """Peak memory of a candidate in MiB."""
    return row.peak_memory_bytes / 2**20
