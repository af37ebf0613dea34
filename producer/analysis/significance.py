"""Which of two candidates is faster, when each round measured both. Pure."""

from collections.abc import Sequence
from enum import Enum
from statistics import median

from poolrace.producer.analysis.rates import T_95, T_99, interval

LEAST_ROUNDS = 3
"""Rounds before a difference counts: with fewer, one disturbed lap decides."""

NEAR = 0.05
"""Speeds that differ by less are the same price in speed for less memory."""

FASTER = 0.1
"""Who is faster is so by more than this: the same workers, started again, differ by 3 to 5 % on an
idle machine, which the rounds of one race cannot show."""

FAR = 0.85
"""Whoever reaches less of a speed is not taken for as fast, however much noise there is."""


class Judgement(Enum):
    """What is known so far."""

    OPEN = "open"
    FASTER = "faster"
    SLOWER = "slower"
    ALIKE = "alike"


def may_equal(one: Sequence[float], other: Sequence[float], within: float) -> bool:
    """Whether, as far as can be told, the first is as fast as the other, to the part ``within``.

    Its middle ratio says so, or could say so by chance, with 95 % confidence.
    """
    ratios = [a / b for a, b in zip(one, other, strict=False) if b > 0]
    if not ratios:
        return False
    likely = interval(ratios) or (0.0, 0.0)
    middle = median(ratios)
    return middle >= 1 - within or (middle >= FAR and likely[1] >= 1)


def duel(one: Sequence[float], other: Sequence[float]) -> Judgement:
    """Judge by the ratios of speeds in the same rounds: a machine that slows down slows both.

    ``FASTER`` and ``SLOWER`` mean by more than 10 %, with 99 % confidence, since it is asked after
    every round; ``ALIKE`` that the ratio lies within 10 % with 95 %.
    """
    rounds = list(zip(one, other, strict=False))
    if len(rounds) < LEAST_ROUNDS:
        return Judgement.OPEN
    if any(a <= 0 or b <= 0 for a, b in rounds):
        return Judgement.FASTER if sum(one) > sum(other) else Judgement.SLOWER
    ratios = [a / b for a, b in rounds]
    clear, likely = interval(ratios, T_99), interval(ratios, T_95)
    most = 1 + FASTER
    if likely and likely[0] > 1 / most and likely[1] < most:
        return Judgement.ALIKE
    if clear and clear[0] > most:
        return Judgement.FASTER
    if clear and clear[1] < 1 / most:
        return Judgement.SLOWER
    return Judgement.OPEN
