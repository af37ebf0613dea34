"""The finals of a race: chooses the finalists and races them in rounds. Pure."""

from collections.abc import Mapping, Sequence
from itertools import count
from statistics import median
from typing import Literal

from poolrace.producer.analysis.significance import (
    CERTAINLY_SLOWER,
    MARGIN,
    MIN_ROUNDS,
    MOST_MEMORY,
    PairedResult,
    compare_paired,
)
from poolrace.producer.analysis.stats import confidence_interval
from poolrace.producer.race.requests import Progress, Steps
from poolrace.producer.race.search import FAR_LEANER_SPEED, LEAN_MEMORY, SAME_MEMORY
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.race import Reason
from poolrace.producer.rounds import rotated

FINALIST_SHARE = 0.78
"""Share of the best speed in the search that makes a candidate a finalist."""

MAX_FINALISTS = 4
"""Number of finalists, at most; each of their rounds takes a second."""

MIN_FINALISTS = 2
"""Number of finalists, at least, if two candidates were measured."""

MAX_ROUNDS = 5
"""Number of rounds, at most: candidates that are within the margin after these stay undecided."""

ENOUGH_EXECUTIONS = 5_000
"""Executions of the task in a race, from which on its finals have no more than ``MIN_ROUNDS``."""

DOMINATED = 0.97
"""Share of a candidate's speed from which another one, with no more memory and slots, replaces it:
workers that are started again differ by as much."""

UNCLEAR = 0.03
"""Distance of a ratio of speeds from the margin, below which further rounds are worth it."""

Standing = Literal["slower", "as fast"]
"""Result of a finalist beside the leader."""


def choose_finalists(
    speeds: Mapping[Candidate, float],
    memory: Mapping[Candidate, float],
    given: Sequence[Candidate] = (),
) -> list[Candidate]:
    """The fastest candidate and those that may be as fast; at least two, if two were measured.

    A candidate that the user did not give is left out if another one is as fast with no more
    memory and slots. Of too many, the leanest is kept beside the fastest ones.
    """
    ordered = sorted(speeds, key=lambda candidate: -speeds[candidate])
    if not ordered:
        return []
    most = max(MAX_FINALISTS, len(given) + 1)
    near = [c for c in ordered if speeds[c] >= FINALIST_SHARE * speeds[ordered[0]]]
    useful = [
        c
        for c in near
        if c in given or not any(_replaces(other, c, speeds, memory) for other in near)
    ]
    leanest = min(useful, key=lambda candidate: memory[candidate])
    fastest = [c for c in useful if c != leanest][: most - 1]
    chosen = [c for c in useful if c in fastest or c == leanest]
    others = [c for c in ordered if c not in chosen]
    return chosen if len(chosen) >= MIN_FINALISTS else [*chosen, *others[:1]]


def afford_rounds(
    progress: Progress,
    finalists: Sequence[Candidate],
    speeds: Mapping[Candidate, float],
    memory: Mapping[Candidate, float],
    given: Sequence[Candidate] = (),
) -> list[Candidate]:
    """The finalists whose rounds stay within ``ENOUGH_EXECUTIONS``; at least two.

    The slowest ones are left out, but neither those that the user gave nor the leanest of those
    that may be as fast as the fastest.
    """
    executions = {lap.candidate: lap.executions for lap in progress.laps}
    kept = list(finalists)
    near = FAR_LEANER_SPEED * max((speeds[candidate] for candidate in kept), default=0.0)
    fast = [candidate for candidate in kept if speeds[candidate] >= near]
    leanest = min(fast, key=lambda candidate: memory[candidate], default=None)
    for candidate in sorted(finalists, key=lambda candidate: speeds[candidate]):
        rounds = MIN_ROUNDS * sum(executions.get(each, 0) for each in kept)
        if len(kept) <= MIN_FINALISTS or progress.executions + rounds <= ENOUGH_EXECUTIONS:
            break
        if candidate != leanest and candidate not in given:
            kept.remove(candidate)
    return kept


def _replaces(
    one: Candidate,
    other: Candidate,
    speeds: Mapping[Candidate, float],
    memory: Mapping[Candidate, float],
) -> bool:
    """Whether a candidate makes another one useless.

    It is as fast as one of its own pool with fewer slots or workers, or it is as fast as one of
    another pool with clearly less memory, or nearly as fast with far less. The fastest one stays
    in the last case.
    """
    far_leaner = MOST_MEMORY * memory[one] < memory[other]
    if far_leaner and speeds[other] < max(speeds.values()):
        return speeds[one] >= CERTAINLY_SLOWER * speeds[other]
    if one.pool != other.pool:
        return speeds[one] >= speeds[other] and memory[one] < LEAN_MEMORY * memory[other]
    return (
        one != other
        and one.slots <= other.slots
        and one.workers <= other.workers
        and speeds[one] >= DOMINATED * speeds[other]
        and memory[one] <= SAME_MEMORY * memory[other]
    )


def run_rounds(
    progress: Progress, finalists: Sequence[Candidate], left_out: dict[str, Reason]
) -> Steps[list[Candidate]]:
    """Race started finalists in rounds of one lap each, until their order is clear.

    A finalist that is clearly slower than the leader has no further laps. One that fails, or
    takes too much memory, is stopped and entered into ``left_out``. Returns the
    finalists that remain.
    """
    running = list(finalists)
    speeds: dict[Candidate, list[float]] = {candidate: [] for candidate in running}
    round_s, round_executions = 0.0, 0
    for number in count():
        results = compare_with_leader({candidate: speeds[candidate] for candidate in running})
        further = number < MIN_ROUNDS or (
            number < MAX_ROUNDS and progress.executions + round_executions <= ENOUGH_EXECUTIONS
        )
        if None in results.values() and further:
            running = [candidate for candidate in running if results.get(candidate) != "slower"]
        elif not running or number >= MIN_ROUNDS:
            break
        left_s, executions = progress.left_s(), progress.executions
        # Rounds are complete: candidates with one lap more or less could not be compared.
        enough = progress.executions_left >= round_executions
        if left_s < round_s or not enough or not progress.has_executions_for(*running):
            break
        most = _items_of_a_lap(progress, len(running), MAX_ROUNDS - number)
        for candidate in rotated(running, number):
            lap = yield from progress.measure(candidate, "final", most)
            speeds[candidate].append(lap.items_per_s)
            too_large = progress.exceeds_memory([lap])
            if too_large or lap.lost or not lap.items:
                running.remove(candidate)
                left_out[str(candidate)] = "memory" if too_large else "failures"
                yield from progress.stop(candidate)
        round_s = left_s - progress.left_s()
        round_executions = progress.executions - executions
    return running


def _items_of_a_lap(progress: Progress, finalists: int, rounds: int) -> int:
    """Items of each lap, so that these rounds stay within ``ENOUGH_EXECUTIONS``.

    If fewer executions are left than that, the laps of the next round share them.
    """
    laps = max(1, finalists)
    enough = max(0, ENOUGH_EXECUTIONS - progress.executions) // (laps * rounds)
    return min(enough, progress.executions_left // laps)


def compare_with_leader(
    speeds: Mapping[Candidate, Sequence[float]],
) -> dict[Candidate, Standing | None]:
    """Standing of each candidate but the fastest one; ``None`` if more rounds may change it."""
    if not speeds:
        return {}
    leader = max(speeds, key=lambda candidate: sum(speeds[candidate]))
    return {
        candidate: _standing(speeds[candidate], speeds[leader])
        for candidate in speeds
        if candidate != leader
    }


def _standing(speeds: Sequence[float], leader: Sequence[float]) -> Standing | None:
    """Standing of a candidate beside the leader, by the ratio of their speeds within rounds.

    It is settled if the verdict will call the candidate slower, or if it is at most as much faster
    as does not matter and its ratio is not near the one from which less memory decides.
    """
    result = compare_paired(leader, speeds)
    if result == PairedResult.FASTER:
        return "slower"
    if result == PairedResult.EQUIVALENT:
        return "as fast"
    rounds = list(zip(speeds, leader, strict=False))
    if len(rounds) < MIN_ROUNDS or any(speed <= 0 for pair in rounds for speed in pair):
        return None
    ratios = [speed / other for speed, other in rounds]
    interval = confidence_interval(ratios)
    if interval is None or interval[1] >= 1 + MARGIN:
        return None
    return "as fast" if median(ratios) > 1 - MARGIN + UNCLEAR else None
