"""Trace events of a race: pools are processes, candidates are threads, laps are slices."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate

from poolrace.producer.reports.trace.events import Event, TraceEvents, Track, nanoseconds
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.race import Lap, Race


def add_race(trace: TraceEvents, race: Race) -> None:
    """Add the laps of the race, from its start on.

    The laps of a file without start times follow each other without gaps.
    """
    by_pool: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in race.candidates:
        by_pool[candidate.pool].append(candidate)
    for pool, candidates in by_pool.items():
        process = trace.process(pool)
        tracks = {each: trace.thread(process, str(each)) for each in sorted(candidates, key=_order)}
        for lap, began, ended in _placed(race.laps):
            if lap.candidate in tracks:
                _add_lap(trace, tracks[lap.candidate], lap, (began, ended))


def _add_lap(trace: TraceEvents, track: Track, lap: Lap, span: tuple[int, int]) -> None:
    """Add the lap, its throughput as a counter of the pool, and the loss of its workers."""
    began, ended = span
    process = Track(track.pid, track.pid)
    trace.slice(track, f"{lap.kind} {lap.round}", span, _args(lap))
    trace.counter(process, "throughput", began, {"items_per_s": lap.items_per_s})
    trace.counter(process, "throughput", ended, {"items_per_s": 0.0})
    if lap.lost:
        trace.instant(track, f"workers of {lap.candidate} were lost", ended, {})


def _placed(laps: Sequence[Lap]) -> Iterator[tuple[Lap, int, int]]:
    """The laps with begin and end, in order of their begins; none ends after the next one begins.

    Laps run one at a time.
    """
    starts_s = [lap.at_s for lap in laps if lap.at_s is not None]
    if len(starts_s) < len(laps):
        starts_s = [0.0, *accumulate(lap.wall_s for lap in laps)][: len(laps)]
    began = sorted(zip(map(nanoseconds, starts_s), laps, strict=True), key=lambda pair: pair[0])
    next_begins = [start for start, _ in began[1:]]
    for (start, lap), following in zip(began, [*next_begins, None], strict=True):
        ended = start + nanoseconds(lap.wall_s)
        yield lap, start, ended if following is None else min(ended, following)


def _order(candidate: Candidate) -> tuple[int, int, str]:
    return candidate.workers, candidate.concurrency, str(candidate)


def _args(lap: Lap) -> Event:
    return {
        "items": lap.items,
        "failures": lap.failures,
        "items_per_s": lap.items_per_s,
        "running_s": dict(zip(("p50", "p95", "p99"), lap.running_s, strict=True)),
        "waiting_s": dict(zip(("p50", "p95", "p99"), lap.waiting_s, strict=True)),
        "cpu_s": lap.cpu_s,
        "peak_memory_bytes": lap.peak_memory_bytes,
        "cut_short": lap.cut_short,
        "lost": lap.lost,
    }
