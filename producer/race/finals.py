"""The finals of a race: chooses the finalists and races them in rounds. Pure."""

from collections.abc import Mapping, Sequence
from itertools import count

from poolrace.producer.analysis.significance import MIN_ROUNDS, PairedResult, compare_paired
from poolrace.producer.race.requests import Progress, Steps
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.race import Reason
from poolrace.producer.rounds import rotated

FINALIST_SHARE = 0.7
"""Share of the best speed in the search that makes a candidate a finalist."""

MAX_FINALISTS = 6
"""Number of finalists, at most: two concurrencies of each of three pools may be equally fast."""


def choose_finalists(speeds: Mapping[Candidate, float]) -> list[Candidate]:
    """The fastest candidate and those that may be as fast; at least two, if two were measured."""
    ordered = sorted(speeds, key=lambda candidate: -speeds[candidate])
    threshold = FINALIST_SHARE * speeds[ordered[0]] if ordered else 0.0
    near = [candidate for candidate in ordered if speeds[candidate] >= threshold]
    return ordered[: max(2, min(len(near), MAX_FINALISTS))]


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
    round_s = 0.0
    for number in count():
        results = compare_with_leader({candidate: speeds[candidate] for candidate in running})
        if PairedResult.UNDECIDED in results.values():
            running = [c for c in running if results.get(c) != PairedResult.FASTER]
        elif not running or number >= MIN_ROUNDS:
            break
        left_s = progress.left_s()
        # Rounds are complete: candidates with one lap more or less could not be compared.
        if left_s < round_s or not all(map(progress.has_executions_for, running)):
            break
        for candidate in rotated(running, number):
            lap = yield from progress.measure(candidate, "final")
            speeds[candidate].append(lap.items_per_s)
            if lap.lost or progress.exceeds_memory([lap]):
                running.remove(candidate)
                left_out[str(candidate)] = "failures" if lap.lost else "memory"
                yield from progress.stop(candidate)
        round_s = left_s - progress.left_s()
    return running


def compare_with_leader(
    speeds: Mapping[Candidate, Sequence[float]],
) -> dict[Candidate, PairedResult]:
    """Paired comparison of the fastest candidate with each other one."""
    if not speeds:
        return {}
    leader = max(speeds, key=lambda candidate: sum(speeds[candidate]))
    return {
        candidate: compare_paired(speeds[leader], speeds[candidate])
        for candidate in speeds
        if candidate != leader
    }
