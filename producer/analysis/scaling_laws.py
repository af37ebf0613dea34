"""Two models fitted to measured times: one for the number of chunks, one for more slots or hosts.

Pure: numbers in, numbers out; how well a model fits is part of the result. Both models are linear
in their parameters, so non-negative least squares finds the exact fit without a start value.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any

PARAMETERS = 3
"""Parameters of either model; three points are fitted exactly, more are needed to judge a fit."""

INDEPENDENT = 1e-9
"""Share of a column's length that remains once the columns before it are projected out.

With less than this share the column depends linearly on them, and the remainder is rounding.
"""

Point = tuple[int, float]
"""A number of chunks, slots or hosts, and the seconds that the job took with it."""


@dataclass(frozen=True)
class ChunkFit:
    """``T(n) = work_s * r(n) + overhead_s * n + imbalance_s / n``: time of ``n`` equal chunks.

    Each chunk adds the cost of its message, ``overhead_s``, whichever slot computes it. ``p``
    equally fast slots compute chunks in ``ceil(n / p)`` rounds, and in the last round some slots
    may have no chunk: ``r(n) = p * ceil(n / p) / n``. Slots that are not equally fast run out of
    chunks at different moments, and are idle for half a chunk on average: ``imbalance_s / n``, at
    most ``work_s * (p - 1) / n``. Kruskal and Weiss, "Allocating Independent Subtasks on Parallel
    Processors" (IEEE Transactions on Software Engineering, 1985), weigh the same costs.
    """

    in_step: int
    """The number of slots ``p`` if rounds show in the times, else 1: then ``r(n) = 1``."""
    work_s: float
    overhead_s: float
    imbalance_s: float
    r_squared: float | None = None
    """R² of the times; ``None`` if there are no more points than parameters."""

    def time_s(self, chunks: int) -> float:
        """Seconds that the job takes when it is cut into this number of chunks."""
        return self.work_s + self.overhead_s * chunks + self.waiting_s(chunks)

    def waiting_s(self, chunks: int) -> float:
        """Seconds of ``time_s`` in which idle slots wait for the last chunks of other slots."""
        return self.work_s * (_rounds(chunks, self.in_step) - 1) + self.imbalance_s / chunks

    @property
    def optimal_chunks(self) -> int | None:
        """Number of chunks with the least time: ``sqrt(imbalance_s / overhead_s)``, whole rounds.

        ``None`` if the time falls with every further chunk.
        """
        if self.imbalance_s <= 0:
            return self.in_step
        if self.overhead_s <= 0:
            return None
        rounds = int(math.sqrt(self.imbalance_s / self.overhead_s) / self.in_step)
        return min((max(1, rounds) * self.in_step, (rounds + 1) * self.in_step), key=self.time_s)

    def to_json(self) -> dict[str, Any]:
        """The parameters as a JSON object; the key ``sweet_spot`` is the optimal number."""
        return {**asdict(self), "sweet_spot": self.optimal_chunks}


@dataclass(frozen=True)
class ScalabilityFit:
    """The Universal Scalability Law, ``X(N) = rate N / (1 + sigma (N - 1) + kappa N (N - 1))``.

    ``sigma`` is contention: the share of the work that only one slot or host can do at a time.
    ``kappa`` is crosstalk: the cost of keeping each pair of them consistent. Gunther, "Guerrilla
    Capacity Planning" (Springer, 2007), chapter 4. With ``kappa = 0`` it is Amdahl's law.
    """

    rate: float
    """Jobs per second with one slot or host."""
    sigma: float
    kappa: float
    r_squared: float | None = None
    """R² of the throughputs; ``None`` if there are no more points than parameters."""

    def throughput(self, number: float) -> float:
        """Jobs per second with this number of slots or hosts."""
        return self.rate * self.speed_up(number)

    def speed_up(self, number: float) -> float:
        """Throughput with this number of slots or hosts, over the throughput with one."""
        crosstalk = self.kappa * number * (number - 1)
        return number / (1 + self.sigma * (number - 1) + crosstalk)

    @property
    def peak(self) -> float:
        """The number with the highest throughput: ``sqrt((1 - sigma) / kappa)``."""
        if self.kappa <= 0:
            return math.inf if self.sigma < 1 else 1.0
        return max(1.0, math.sqrt(max(0.0, 1 - self.sigma) / self.kappa))

    def to_json(self) -> dict[str, Any]:
        """The parameters as a JSON object; ``peak`` is ``null`` if it is infinite."""
        return {**asdict(self), "peak": self.peak if math.isfinite(self.peak) else None}


def fit_chunks(points: Sequence[Point], slots: int) -> ChunkFit | None:
    """Fit times to numbers of chunks; ``None`` for fewer than three different numbers.

    Slots that share a core, or are not equally fast, do not compute in rounds. So the model is
    fitted with rounds and without them, and the fit with the smaller error is returned.
    """
    if len({n for n, _ in points}) < PARAMETERS:
        return None
    times = [seconds for _, seconds in points]
    fits = []
    for in_step in (slots, 1):
        rows = [(_rounds(n, in_step), float(n), 1.0 / n) for n, _ in points]
        error, parameters = _least_squares(rows, times)
        fits.append((error, ChunkFit(in_step, *parameters)))
    _, fit = min(fits, key=lambda error_and_fit: error_and_fit[0])
    return replace(fit, r_squared=_r_squared([(seconds, fit.time_s(n)) for n, seconds in points]))


def fit_scalability(points: Sequence[Point]) -> ScalabilityFit | None:
    """Fit the Universal Scalability Law; ``None`` for fewer than three different numbers.

    Written as ``N T(N) = T1 + T1 sigma (N - 1) + T1 kappa N (N - 1)`` it is linear.
    """
    if len({n for n, _ in points}) < PARAMETERS:
        return None
    rows = [(1.0, float(n - 1), float(n * (n - 1))) for n, _ in points]
    targets = [n * seconds for n, seconds in points]
    _, (one_s, contention_s, crosstalk_s) = _least_squares(rows, targets)
    fit = ScalabilityFit(1 / one_s, contention_s / one_s, crosstalk_s / one_s)
    throughputs = [(1 / seconds, fit.throughput(n)) for n, seconds in points]
    return replace(fit, r_squared=_r_squared(throughputs))


def serial_fraction(speed_up: float, number: int) -> float | None:
    """Karp and Flatt's serial fraction, ``(1/S - 1/p) / (1 - 1/p)``; ``None`` for ``p = 1``.

    Negative if the speed-up is larger than ``p``. Karp and Flatt, "Measuring Parallel Processor
    Performance" (CACM 33:5, 1990): a fraction that grows with ``p`` is overhead, not serial work.
    """
    if number == 1:
        return None
    return (1 / speed_up - 1 / number) / (1 - 1 / number)


def _rounds(chunks: int, slots: int) -> float:
    """Time of equal chunks in rounds, over the time if all slots always had a chunk."""
    return slots * math.ceil(chunks / slots) / chunks


def _least_squares(
    rows: Sequence[Sequence[float]], targets: Sequence[float]
) -> tuple[float, tuple[float, ...]]:
    """Non-negative least squares: the sum of squared errors, and one coefficient per column.

    Errors are relative to the target, because background load costs a share of the time rather
    than a number of seconds. The first column is always used; every choice of the other two
    (both, one, none) is tried.
    """
    weighted = [
        [value / target for value in row] for row, target in zip(rows, targets, strict=True)
    ]
    columns = list(zip(*weighted, strict=True))
    best: tuple[float, tuple[float, ...]] | None = None
    for size in range(len(columns)):
        for optional in combinations(range(1, len(columns)), size):
            used = (0, *optional)
            solution = _solve([columns[column] for column in used])
            if solution is None or min(solution) < 0:
                continue
            by_column = dict(zip(used, solution, strict=True))
            coefficients = tuple(by_column.get(column, 0.0) for column in range(len(columns)))
            error = math.fsum((_dot(row, coefficients) - 1) ** 2 for row in weighted)
            if best is None or error < best[0]:
                best = error, coefficients
    if best is None:
        raise ValueError(f"cannot fit times that are not positive: {list(targets)}")
    return best


def _solve(columns: Sequence[Sequence[float]]) -> tuple[float, ...] | None:
    """Coefficients with which the sum of the columns is nearest to 1, by modified Gram-Schmidt.

    Bjorck (BIT 7, 1967): it stays accurate when the columns' sizes differ by a factor of
    thousands. ``None`` if a column depends linearly on the columns before it.
    """
    basis: list[list[float]] = []
    upper: list[list[float]] = []
    for column in columns:
        remainder, projections = _project(column, basis)
        length = math.hypot(*remainder)
        if length <= INDEPENDENT * math.hypot(*column):
            return None
        basis.append([value / length for value in remainder])
        upper.append([*projections, length])
    _, projections = _project([1.0] * len(columns[0]), basis)
    solution = [0.0] * len(columns)
    for row in reversed(range(len(columns))):
        known_part = math.fsum(
            upper[column][row] * solution[column] for column in range(row + 1, len(columns))
        )
        solution[row] = (projections[row] - known_part) / upper[row][row]
    return tuple(solution)


def _project(
    vector: Sequence[float], basis: Sequence[Sequence[float]]
) -> tuple[list[float], list[float]]:
    """The remainder of a vector orthogonal to the basis, and its projections on the basis."""
    remainder, projections = list(vector), []
    for direction in basis:
        projection = _dot(direction, remainder)
        projections.append(projection)
        remainder = [
            value - projection * component
            for value, component in zip(remainder, direction, strict=True)
        ]
    return remainder, projections


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return math.fsum(a * b for a, b in zip(left, right, strict=True))


def _r_squared(pairs: Sequence[tuple[float, float]]) -> float | None:
    """R²: share of the variance that the fit explains; ``pairs`` are measured and fitted values."""
    if len(pairs) <= PARAMETERS:
        return None
    mean = math.fsum(measured for measured, _ in pairs) / len(pairs)
    total = math.fsum((measured - mean) ** 2 for measured, _ in pairs)
    residual = math.fsum((measured - fitted) ** 2 for measured, fitted in pairs)
    return 1 - residual / total if total > 0 else None
