"""Tells faster from slower cases of two results, measured independently of each other. Pure.

Two measurements of the same thing differ by more than the runs of one of them: workers that are
started again are a little faster or slower. The runs within a file do not show that, so the tests
add ``RESTART_SD`` to the noise that the runs show.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median, variance
from typing import Literal

from poolrace.producer.analysis.significance import MIN_ROUNDS
from poolrace.producer.analysis.stats import MAX_EXPONENT
from poolrace.producer.analysis.student_t import MAX_DEGREES, two_sided_p, two_sided_quantile

MIN_VALUES = MIN_ROUNDS
"""Number of values of a case in each file before it is judged; of two, one may be disturbed."""

RESTART_SD = 0.03
"""Standard deviation of the logarithm of the speed between two starts of the same workers: on an
idle machine two measurements differ by 3 to 5 %."""

CONFIDENCE = 0.995
"""Confidence that no case is called faster or slower by chance, over all cases together. The
noise of three runs is itself known roughly: of made-up pairs of files about the same thing, 99.3 %
had no such case with 99.5 % here, and 98.9 % with 99 %."""

INTERVAL_CONFIDENCE = 0.95
"""Confidence of the interval of one ratio."""

SAME_CONFIDENCE = 0.95
"""Confidence of each of the two one-sided tests by which a case counts as the same."""

DiffResult = Literal["faster", "slower", "same", "not distinguishable"]
"""Result of the comparison of one case."""

Sample = Sequence[float]
"""Times of one case in one file, or times per item; positive."""


@dataclass(frozen=True)
class Difference:
    """The difference of one case: how many times as long it takes in the new file."""

    time_ratio: float
    interval: tuple[float, float] | None
    """95 % confidence interval of ``time_ratio``; ``None`` with too few values."""
    result: DiffResult


@dataclass(frozen=True)
class _Moments:
    """Number, mean and variance of the logarithms of a sample."""

    number: int
    mean: float
    variance: float


@dataclass(frozen=True)
class _Estimate:
    """Estimate of the logarithm of a ratio."""

    mean: float
    error: float
    """Standard error of the mean, the variance between two starts included."""
    degrees: int
    """Degrees of freedom of the error."""

    @property
    def p(self) -> float:
        """Probability of such a mean, or of one farther from 0, if the true one is 0."""
        return two_sided_p(self.mean / self.error, self.degrees)

    def half_width(self, confidence: float) -> float:
        """Half of the width of the two-sided confidence interval."""
        return two_sided_quantile(confidence, self.degrees) * self.error


def compare_samples(pairs: Sequence[tuple[Sample, Sample]], margin: float) -> list[Difference]:
    """Compare the old and the new values of each case; ``margin`` is a relative difference.

    ``same`` is shown by two one-sided tests (TOST) within the margin. Any other case is ``faster``
    or ``slower`` if Welch's t-test on logarithms shows that its ratio is not 1, with Holm's
    correction for the number of cases.
    """
    estimates = _estimates(pairs)
    different = _different({case: each.p for case, each in estimates.items()})
    return [
        _difference(old, new, estimates.get(case), margin, different=case in different)
        for case, (old, new) in enumerate(pairs)
    ]


def _difference(
    old: Sample, new: Sample, estimate: _Estimate | None, margin: float, *, different: bool
) -> Difference:
    if estimate is None:
        return Difference(math.exp(_log_ratio(old, new)), None, "not distinguishable")
    half_width = estimate.half_width(INTERVAL_CONFIDENCE)
    ends = (estimate.mean - half_width, estimate.mean + half_width)
    low, high = (math.exp(max(-MAX_EXPONENT, min(end, MAX_EXPONENT))) for end in ends)
    result: DiffResult = "not distinguishable"
    # Each one-sided test of 95 % is one end of a two-sided interval of 90 %.
    if abs(estimate.mean) + estimate.half_width(2 * SAME_CONFIDENCE - 1) <= math.log(1 + margin):
        result = "same"
    elif different:
        result = "slower" if estimate.mean > 0 else "faster"
    return Difference(math.exp(estimate.mean), (low, high), result)


def _estimates(pairs: Sequence[tuple[Sample, Sample]]) -> dict[int, _Estimate]:
    """The estimate of each case that has enough values in both files, by number of the case."""
    moments = {
        case: (_moments(old), _moments(new))
        for case, (old, new) in enumerate(pairs)
        if min(len(old), len(new)) >= MIN_VALUES
    }
    if not moments:
        return {}
    # Three runs often agree by chance. A case counts as no quieter than half of all cases.
    typical = median(each.variance for pair in moments.values() for each in pair)
    return {case: _estimate(old, new, typical) for case, (old, new) in moments.items()}


def _moments(sample: Sample) -> _Moments:
    logarithms = [math.log(value) for value in sample]
    return _Moments(len(sample), fmean(logarithms), variance(logarithms))


def _estimate(old: _Moments, new: _Moments, least_variance: float) -> _Estimate:
    """Welch's estimate with Satterthwaite's degrees of freedom, and the variance of a restart."""
    parts = [
        (max(each.variance, least_variance) / each.number, each.number - 1) for each in (old, new)
    ]
    total = sum(part for part, _ in parts) + 2 * RESTART_SD**2
    uncertainty = sum(part**2 / degrees for part, degrees in parts)
    degrees = min(total**2 / uncertainty, MAX_DEGREES) if uncertainty else MAX_DEGREES
    return _Estimate(new.mean - old.mean, math.sqrt(total), int(degrees))


def _different(p_by_case: dict[int, float]) -> set[int]:
    """The cases whose ratio is not 1, by Holm's step-down procedure."""
    different: set[int] = set()
    for rank, (case, p) in enumerate(sorted(p_by_case.items(), key=lambda each: each[1])):
        if p > (1 - CONFIDENCE) / (len(p_by_case) - rank):
            break
        different.add(case)
    return different


def _log_ratio(old: Sample, new: Sample) -> float:
    return fmean(map(math.log, new)) - fmean(map(math.log, old))
