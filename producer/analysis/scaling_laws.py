"""Two laws fitted to measured times: what the number of chunks costs, what more slots give.

Pure: numbers in, numbers out; how well a law fits is part of the answer. Both are linear in what
is unknown, so each is fitted exactly, by non-negative least squares, without a start value.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any

FAR = 10
"""A prediction is made for so many times the largest number that was measured."""

PARAMETERS = 3
"""Of either law: so many points are fitted exactly, and more are needed to judge the fit."""

SETTLED = 1e-9
"""Part of a column that must remain, once the others explain what they can, to be more than
rounding."""

Point = tuple[int, float]
"""A number of chunks, slots or hosts, and the seconds that the job took with it."""


@dataclass(frozen=True)
class ChunkLaw:
    """``T(n) = work_s * r(n) + overhead_s * n + imbalance_s / n`` for ``n`` chunks of equal size.

    A chunk costs its message, whoever computes it: ``overhead_s`` of the run's time each. ``p``
    slots that are equally fast take chunks in step, in ``ceil(n / p)`` rounds, the last of which
    may be half empty: ``r(n) = p * ceil(n / p) / n``. If they are not in step they run out of
    chunks at different moments, and idle for half a chunk on average: ``imbalance_s / n``, at most
    ``work_s * (p - 1) / n``. Kruskal and Weiss, "Allocating Independent Subtasks on Parallel
    Processors" (IEEE Transactions on Software Engineering, 1985), weigh the same costs.
    """

    in_step: int
    """The slots ``p`` if their rounds show in the times, else 1: then ``r(n) = 1``."""
    work_s: float
    overhead_s: float
    imbalance_s: float
    r_squared: float | None = None
    """Of the times; ``None`` where there are no more points than parameters."""

    def time_s(self, chunks: int) -> float:
        """Seconds that the job takes when cut into so many chunks."""
        return self.work_s + self.overhead_s * chunks + self.waiting_s(chunks)

    def waiting_s(self, chunks: int) -> float:
        """Seconds of these in which slots wait for the last chunks of others."""
        return self.work_s * (_rounds(chunks, self.in_step) - 1) + self.imbalance_s / chunks

    @property
    def sweet_spot(self) -> int | None:
        """Chunks of the least time, ``sqrt(imbalance_s / overhead_s)`` to whole rounds.

        ``None`` if more of them are always better.
        """
        if self.imbalance_s <= 0:
            return self.in_step
        if self.overhead_s <= 0:
            return None
        whole = int(math.sqrt(self.imbalance_s / self.overhead_s) / self.in_step)
        return min((max(1, whole) * self.in_step, (whole + 1) * self.in_step), key=self.time_s)

    def to_json(self) -> dict[str, Any]:
        """The parameters and the sweet spot as a JSON object."""
        return {**asdict(self), "sweet_spot": self.sweet_spot}


@dataclass(frozen=True)
class ScalabilityLaw:
    """The Universal Scalability Law, ``X(N) = rate N / (1 + sigma (N - 1) + kappa N (N - 1))``.

    ``sigma`` is contention, what only one can do at a time; ``kappa`` is crosstalk, what each has
    to settle with each other. Gunther, "Guerrilla Capacity Planning" (Springer, 2007), chapter 4.
    With ``kappa = 0`` it is Amdahl's law.
    """

    rate: float
    """Jobs a second of one slot or host."""
    sigma: float
    kappa: float
    r_squared: float | None = None
    """Of the throughputs; ``None`` where there are no more points than parameters."""

    def throughput(self, number: float) -> float:
        """Jobs a second of so many slots or hosts."""
        return self.rate * self.speed_up(number)

    def speed_up(self, number: float) -> float:
        """Throughput of so many over that of one."""
        crosstalk = self.kappa * number * (number - 1)
        return number / (1 + self.sigma * (number - 1) + crosstalk)

    @property
    def peak(self) -> float:
        """The number beyond which more are slower, ``sqrt((1 - sigma) / kappa)``."""
        if self.kappa <= 0:
            return math.inf if self.sigma < 1 else 1.0
        return max(1.0, math.sqrt(max(0.0, 1 - self.sigma) / self.kappa))

    def to_json(self) -> dict[str, Any]:
        """The parameters as a JSON object; ``peak`` is ``null`` if it is infinite."""
        return {**asdict(self), "peak": self.peak if math.isfinite(self.peak) else None}


def fit_chunks(points: Sequence[Point], slots: int) -> ChunkLaw | None:
    """The law that fits best; ``None`` for fewer than three different numbers of chunks.

    Slots that share a core, or are not equally fast, do not go in step, so it is fitted both ways.
    """
    if len({n for n, _ in points}) < PARAMETERS:
        return None
    times = [seconds for _, seconds in points]
    fits = []
    for in_step in (slots, 1):
        rows = [(_rounds(n, in_step), float(n), 1.0 / n) for n, _ in points]
        error, parameters = _fit(rows, times)
        fits.append((error, ChunkLaw(in_step, *parameters)))
    _, law = min(fits, key=lambda fit: fit[0])
    return replace(law, r_squared=_r_squared([(seconds, law.time_s(n)) for n, seconds in points]))


def fit_scalability(points: Sequence[Point]) -> ScalabilityLaw | None:
    """The law that fits best; ``None`` for fewer than three different numbers.

    Written as ``N T(N) = T1 + T1 sigma (N - 1) + T1 kappa N (N - 1)`` it is linear.
    """
    if len({n for n, _ in points}) < PARAMETERS:
        return None
    rows = [(1.0, float(n - 1), float(n * (n - 1))) for n, _ in points]
    _, (one_s, contention_s, crosstalk_s) = _fit(rows, [n * seconds for n, seconds in points])
    law = ScalabilityLaw(1 / one_s, contention_s / one_s, crosstalk_s / one_s)
    rates = [(1 / seconds, law.throughput(n)) for n, seconds in points]
    return replace(law, r_squared=_r_squared(rates))


def serial_fraction(speed_up: float, number: int) -> float | None:
    """``(1/S - 1/p) / (1 - 1/p)``, ``None`` for one; negative where more than ``p`` was gained.

    Karp and Flatt, "Measuring Parallel Processor Performance" (CACM 33:5, 1990): if it grows with
    ``p``, it is not serial work but overhead.
    """
    if number == 1:
        return None
    return (1 / speed_up - 1 / number) / (1 - 1 / number)


def _rounds(chunks: int, slots: int) -> float:
    """How much longer than perfect division it takes if slots take equal chunks in step."""
    return slots * math.ceil(chunks / slots) / chunks


def _fit(
    rows: Sequence[Sequence[float]], targets: Sequence[float]
) -> tuple[float, tuple[float, ...]]:
    """The error, and non-negative coefficients of the columns; the first counts in any case.

    Errors are taken relative to the target: what disturbs a machine costs a part of the time,
    not a number of seconds. With two columns to leave out or not, all choices are tried.
    """
    weighted = [[it / target for it in row] for row, target in zip(rows, targets, strict=True)]
    columns = list(zip(*weighted, strict=True))
    best: tuple[float, tuple[float, ...]] | None = None
    for size in range(len(columns)):
        for others in combinations(range(1, len(columns)), size):
            chosen = (0, *others)
            found = _least_squares([columns[column] for column in chosen])
            if found is None or min(found) < 0:
                continue
            by_column = dict(zip(chosen, found, strict=True))
            fitted = tuple(by_column.get(column, 0.0) for column in range(len(columns)))
            error = sum((_dot(row, fitted) - 1) ** 2 for row in weighted)
            if best is None or error < best[0]:
                best = error, fitted
    if best is None:
        raise ValueError(f"no law fits times that are not positive: {list(targets)}")
    return best


def _least_squares(columns: Sequence[Sequence[float]]) -> tuple[float, ...] | None:
    """What the columns are multiplied by so that they add up to 1 as nearly as they can.

    By modified Gram-Schmidt (Bjorck, BIT 7, 1967), which stays accurate where the columns' sizes
    differ by thousands. ``None`` if a column is made up of those before it.
    """
    basis: list[list[float]] = []
    upper: list[list[float]] = []
    for column in columns:
        rest, parts = _without(column, basis)
        length = math.hypot(*rest)
        if length <= SETTLED * math.hypot(*column):
            return None
        basis.append([it / length for it in rest])
        upper.append([*parts, length])
    _, parts = _without([1.0] * len(columns[0]), basis)
    found = [0.0] * len(columns)
    for row in reversed(range(len(columns))):
        known = sum(upper[column][row] * found[column] for column in range(row + 1, len(columns)))
        found[row] = (parts[row] - known) / upper[row][row]
    return tuple(found)


def _without(
    vector: Sequence[float], basis: Sequence[Sequence[float]]
) -> tuple[list[float], list[float]]:
    """What remains of a vector, and how much of each vector of the basis was taken out."""
    rest, parts = list(vector), []
    for direction in basis:
        part = _dot(direction, rest)
        parts.append(part)
        rest = [it - part * along for it, along in zip(rest, direction, strict=True)]
    return rest, parts


def _dot(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def _r_squared(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Part of the variance that the law explains; ``pairs`` are measured and fitted values."""
    if len(pairs) <= PARAMETERS:
        return None
    middle = sum(measured for measured, _ in pairs) / len(pairs)
    spread = sum((measured - middle) ** 2 for measured, _ in pairs)
    left = sum((measured - fitted) ** 2 for measured, fitted in pairs)
    return 1 - left / spread if spread > 0 else None
