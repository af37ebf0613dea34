"""The base of a race: the task alone in one slot. Pure."""

from collections.abc import Sequence

from poolrace.producer.race.no_verdict import all_failed, base_error
from poolrace.producer.race.options import RaceOptions
from poolrace.producer.race.requests import Progress, Steps
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.race import Lap

LONG_LAP_S = 2.0
"""Seconds above which a lap counts as long; one long lap is enough for the base."""


def measure_base(
    options: RaceOptions, progress: Progress, bases: Sequence[Candidate]
) -> Steps[Candidate]:
    """Measure the task in the first of ``bases`` in which it works; returns that candidate.

    Raises an error if it works in none of them.
    """
    for base in bases:
        laps = yield from _measure_laps(progress, base)
        intact = [lap for lap in laps if not lap.lost]
        if any(lap.items for lap in intact):
            return base
        if intact and not any(lap.items for lap in progress.laps):
            raise all_failed(options, intact, progress)
        yield from progress.stop(base)
    with_items = [lap.candidate for lap in progress.laps if lap.items]
    if not with_items:
        raise base_error(options, progress)
    return with_items[0]


def _measure_laps(progress: Progress, base: Candidate) -> Steps[list[Lap]]:
    """Two laps of a base; fewer if its workers fail, if the first is long, or at a limit."""
    if not (yield from progress.start(base)):
        return []
    laps = [(yield from progress.measure(base, "base"))]
    again = not laps[0].lost and laps[0].wall_s < LONG_LAP_S
    if again and progress.has_executions_for(base):
        laps.append((yield from progress.measure(base, "base")))
    return laps
