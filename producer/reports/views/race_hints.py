"""Sentences of the report of a race about the task, its service and its settings."""

from collections.abc import Iterator

from poolrace.producer.analysis.race_hints import own_cores
from poolrace.producer.analysis.race_verdict import Verdict
from poolrace.producer.results.race import Race

RATE_SECONDS = {"s": 1, "m": 60, "h": 3600}
"""Seconds in the unit of a rate limit, as in ``60/m``."""

OWN_THREADS = "OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 MKL_NUM_THREADS=1"
"""Environment variables that make libraries for numbers compute in one thread."""


def hints(verdict: Verdict) -> Iterator[str]:
    """Sentences about what the figures and the settings show besides the answer."""
    yield from _starved(verdict)
    yield from _growing(verdict)
    yield from _over_limit(verdict)
    yield from _own_threads(verdict.race)
    yield from _rate_limit(verdict)
    yield from _sent(verdict.race)
    yield from _ignored(verdict.race)
    yield from _not_in_every_pool(verdict.race)
    yield from _time_limit(verdict)
    yield from _solo(verdict)


def pool_setting(verdict: Verdict) -> Iterator[str]:
    """Sentence about a setting of the app that overrides ``--pool prefork``."""
    own = verdict.race.settings.worker_pool
    recommended = verdict.recommended.candidate.pool
    if recommended == "prefork" and own not in {None, "prefork", "processes"}:
        yield (
            f"The app sets worker_pool = {own!r}, which Celery takes although the command says"
            " prefork: change that setting first."
        )


def items_per_s(rate_limit: str) -> float:
    """Items/s of a rate limit as Celery writes it: ``10``, ``10/s``, ``60/m``, ``100/h``."""
    number, _, unit = rate_limit.partition("/")
    return float(number) / RATE_SECONDS[unit or "s"]


def _starved(verdict: Verdict) -> Iterator[str]:
    for row in verdict.starved:
        yield (
            f"Warning: {row.candidate} is slow because of two settings: with late acknowledgement"
            " and a prefetch multiplier of 1, Celery's gevent pool takes new messages only every"
            " few seconds. Set worker_prefetch_multiplier = 2, or race with --prefetch 1,2."
        )


def _growing(verdict: Verdict) -> Iterator[str]:
    recommended = verdict.recommended.candidate
    for candidate, growth_bytes in verdict.growing.items():
        bounded = verdict.conclusive and recommended not in verdict.growing
        way_out = (
            f"{recommended} is recommended instead"
            if bounded
            else "only prefork with --max-tasks-per-child frees it; race with that option"
        )
        yield (
            f"Warning: the memory of {candidate} grew by {growth_bytes / 2**20:.2g} MiB with each"
            f" item and never shrank: {way_out}."
        )


def _over_limit(verdict: Verdict) -> Iterator[str]:
    """Sentence about a memory limit that no candidate keeps."""
    recommended, limit_bytes = verdict.recommended, verdict.race.max_memory_bytes
    if verdict.conclusive and recommended.peak_memory_bytes > limit_bytes:
        yield (
            f"Warning: no candidate fits into --max-memory: {recommended.candidate} needs"
            f" {recommended.peak_memory_bytes / 2**20:.0f} MiB."
        )


def _own_threads(race: Race) -> Iterator[str]:
    if cores := own_cores(race):
        yield (
            f"One item computes on {cores:.1f} cores by itself, so slots compete for cores. If"
            f" numpy or a similar library does that, race again with {OWN_THREADS} in the"
            " environment."
        )


def _rate_limit(verdict: Verdict) -> Iterator[str]:
    limit = verdict.race.settings.rate_limit
    if limit and 0 < (most := items_per_s(limit)) < verdict.fastest.items_per_s:
        yield (
            f"The task has a rate limit of {limit}, that is {most:.4g} items/s for each worker"
            " process: it decides the throughput, not the pool. The race measured without it."
        )


def _sent(race: Race) -> Iterator[str]:
    if race.sent:
        yield (
            f"The task sent other tasks ({', '.join(race.sent)}), which the race did not run; a"
            " task that waits for their results hangs."
        )


def _ignored(race: Race) -> Iterator[str]:
    """Sentences about a setting and a habit of the app that the race overrode."""
    if race.settings.eager:
        yield (
            "The app sets task_always_eager = True: tasks run where they are called, and no worker"
            " gets one. The race measured without that setting; remove it before you deploy."
        )
    if race.retried:
        yield "The task asked for retries, which the race did not make: such an item failed."


def _not_in_every_pool(race: Race) -> Iterator[str]:
    """Sentences about properties of the app that only some of the raced pools support."""
    pools = sorted({candidate.pool for candidate in race.candidates})
    unlimited = ", ".join(pool for pool in pools if pool != "prefork")
    if race.settings.soft_time_limit_s and unlimited:
        yield (
            f"The task has a soft time limit of {race.settings.soft_time_limit_s:g} s, which Celery"
            f" applies in prefork only: it had no effect under {unlimited}."
        )
    without_init = ", ".join(pool for pool in pools if pool in {"threads", "gevent"})
    if race.settings.process_init and without_init:
        yield (
            f"The app connects {', '.join(race.settings.process_init)} to the signal"
            " worker_process_init, which Celery sends in prefork and solo only: it was not called"
            f" under {without_init}."
        )


def _time_limit(verdict: Verdict) -> Iterator[str]:
    """Sentence about items that exceeded the time limit of the race."""
    failures = {name for row in verdict.summaries for name in row.failures}
    if any(name.endswith("TimeLimitExceeded") for name in failures):
        yield (
            "Items exceeded the time limit. Celery ends such an item in prefork and gevent only,"
            " and only if the worker's command has --time-limit, or the task a time_limit."
        )


def _solo(verdict: Verdict) -> Iterator[str]:
    """Sentence about what a recommended worker of solo cannot do.

    Source: Celery's guide to workers, "Remote control" (pool support).
    """
    if verdict.conclusive and verdict.recommended.candidate.pool == "solo":
        yield (
            "A worker of solo runs an item in its main process: until the item ends, it answers"
            " neither ping nor revoke, and no time limit ends the item."
        )
