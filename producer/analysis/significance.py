"""Tells whether one of two candidates is faster, from laps that were run in pairs. Pure."""

from collections.abc import Sequence
from enum import Enum
from statistics import median

from poolrace.producer.analysis.stats import MIN_VALUES, T_95, T_99, confidence_interval

MIN_ROUNDS = MIN_VALUES
"""Number of rounds before a difference counts; with fewer, one disturbed lap would decide."""

SAME_SPEED = 0.05
"""Relative difference from the fastest speed up to which a candidate may be the cheapest one."""

MARGIN = 0.1
"""Relative difference that a candidate must exceed to count as faster. The same workers, started
again, differ by 3 to 5 % on an idle machine, and the rounds of one race cannot show that."""

CERTAINLY_SLOWER = 0.85
"""Ratio of speeds below which a candidate never counts as equally fast, whatever the noise."""

MOST_MEMORY = 1.4
"""Ratio of the memory of a candidate to that of another one that is nearly as fast, from which the
candidate is not worth its memory: 1.5, less what the memory of the same workers differs by."""

OBVIOUS = 3.0
"""Ratio of speeds that counts as a difference after one round; no disturbance of a lap is as
large."""

OBVIOUS_EACH = 1.5
"""Ratio of speeds that counts as a difference if every one of ``MIN_ROUNDS`` rounds shows it."""


class PairedResult(Enum):
    """Result of a paired comparison of two candidates."""

    UNDECIDED = "undecided"
    FASTER = "faster"
    SLOWER = "slower"
    EQUIVALENT = "equivalent"


def may_be_as_fast(speeds: Sequence[float], reference: Sequence[float], within: float) -> bool:
    """Whether the speeds may equal the reference, up to the relative difference ``within``.

    True if the median ratio within rounds is near enough, or if it is above ``CERTAINLY_SLOWER``
    and its 95 % confidence interval includes 1, or is not known.
    """
    ratios = [speed / other for speed, other in zip(speeds, reference, strict=False) if other > 0]
    if not ratios:
        return False
    interval, middle = confidence_interval(ratios), median(ratios)
    includes_1 = interval is None or interval[1] >= 1
    return middle >= 1 - within or (middle >= CERTAINLY_SLOWER and includes_1)


def is_obviously_faster(speeds: Sequence[float], reference: Sequence[float]) -> bool:
    """Whether the candidate was faster in every common round, by far more than laps differ."""
    rounds = list(zip(speeds, reference, strict=False))
    factor = OBVIOUS if len(rounds) < MIN_ROUNDS else OBVIOUS_EACH
    return bool(rounds) and all(speed > factor * other for speed, other in rounds)


def compare_paired(speeds: Sequence[float], reference: Sequence[float]) -> PairedResult:
    """Compare a candidate with a reference by the ratios of their speeds within rounds.

    A machine that slows down slows both laps of a round. ``FASTER`` and ``SLOWER`` mean a
    difference of more than 10 % with 99 % confidence, because the test is repeated after every
    round, or a ratio above 1.5 in each round. ``EQUIVALENT`` means that the ratio lies within 10 %
    with 95 % confidence.
    """
    rounds = list(zip(speeds, reference, strict=False))
    if len(rounds) < MIN_ROUNDS:
        return PairedResult.UNDECIDED
    if any(speed <= 0 or other <= 0 for speed, other in rounds):
        return PairedResult.FASTER if sum(speeds) > sum(reference) else PairedResult.SLOWER
    ratios = [speed / other for speed, other in rounds]
    in_99, in_95 = confidence_interval(ratios, T_99), confidence_interval(ratios, T_95)
    limit = 1 + MARGIN
    if is_obviously_faster(speeds, reference) or (in_99 and in_99[0] > limit):
        return PairedResult.FASTER
    if is_obviously_faster(reference, speeds) or (in_99 and in_99[1] < 1 / limit):
        return PairedResult.SLOWER
    if in_95 and in_95[0] > 1 / limit and in_95[1] < limit:
        return PairedResult.EQUIVALENT
    return PairedResult.UNDECIDED
