"""``minimum``: keeps a running minimum, the generator coroutine of the seed text."""

import hashlib
from dataclasses import dataclass
from typing import Any, ClassVar

from poolrace.workers.errors import UsageError
from poolrace.workers.workloads.base import Merge, Steps, Workload, parameter, running_minimum

PRIME = 1_000_000_007
MAX_VALUES = 10_000
"""The values travel with every chunk, so there is a limit to them."""
SLICE = 100_000
"""Indices between two points where others may run (about 20 ms)."""


@dataclass(frozen=True)
class Minimum(Workload):
    """The least of a sequence of integers: the given values, or a seeded pseudo-random one.

    The seeded sequence is ``(a * i + b) mod PRIME - PRIME // 2`` with ``a`` and ``b`` drawn
    from the seed, so any chunk can be computed without its neighbours.
    """

    name: ClassVar[str] = "minimum"
    title: ClassVar[str] = "the running minimum of a sequence, merged by a generator coroutine"
    default_range: ClassVar[tuple[int, int]] = (0, 1_000_000)
    limit: ClassVar[int] = 10**12

    values: tuple[int, ...] = parameter((), "the sequence for minimum, as in 10,4,22,-6")
    seed: int = parameter(0, "which pseudo-random sequence, when no values are given")

    def __post_init__(self) -> None:
        if not all(type(value) is int for value in (*self.values, self.seed)):
            raise UsageError(f"--values {self.values!r}: give whole numbers, as in 10,4,22,-6")
        if len(self.values) > MAX_VALUES:
            raise UsageError(f"--values has {len(self.values)} numbers; give at most {MAX_VALUES}")
        object.__setattr__(self, "values", tuple(self.values))  # JSON brings a list

    def default_stop(self) -> int:
        """All of the values, where there are some."""
        return len(self.values) or super().default_stop()

    def check(self, start: int, stop: int) -> None:
        """As for every workload, and not beyond the last of the given values."""
        super().check(start, stop)
        if self.values and stop > len(self.values):
            raise UsageError(f"--stop {stop} is beyond the {len(self.values)} given --values")

    def steps(self, start: int, stop: int) -> Steps:
        """Return the least value of ``[start, stop)``; gives way after each slice."""
        least = None
        a, b = _coefficients(self.seed)
        for begin in range(start, stop, SLICE):
            indices = range(begin, min(begin + SLICE, stop))
            if self.values:
                found = min(self.values[i] for i in indices)
            else:
                found = min((a * i + b) % PRIME for i in indices) - PRIME // 2
            least = found if least is None else min(found, least)
            yield 0.0
        return 0 if least is None else least

    def merge(self) -> Merge:
        """The running minimum itself."""
        return running_minimum()

    def expected(self, start: int, stop: int) -> int:
        """The least of the values by sorting; of the sequence by Euclid's algorithm."""
        if self.values:
            return sorted(self.values[start:stop])[0]
        a, b = _coefficients(self.seed)
        return least_residue(stop - start, PRIME, a, (a * start + b) % PRIME) - PRIME // 2

    def parameters(self) -> dict[str, Any]:
        """The parameters as JSON values."""
        return {"values": list(self.values), "seed": self.seed}


def least_residue(count: int, modulus: int, a: int, b: int) -> int:
    """The least ``(a * i + b) mod modulus`` for ``i`` in ``range(count)``, in O(log modulus).

    Only indices at which the residue wraps around can be new minima, and the residues at
    those form a sequence of the same kind with a smaller modulus: Euclid's algorithm.
    ``count >= 1`` and ``0 <= a, b < modulus``.
    """
    least = b
    while a and count > 1:
        if 2 * a > modulus:  # the same residues from the other end: the modulus then halves
            a, b = modulus - a, (a * (count - 1) + b) % modulus
            least = min(least, b)
        wraps = (a * (count - 1) + b) // modulus
        if wraps == 0:
            break
        # After its k-th wrap the residue is (b - k * modulus) mod a.
        step = -modulus % a
        first = (b - modulus) % a
        least = min(least, first)
        count, modulus, a, b = wraps, a, step, first
    return least


def _coefficients(seed: int) -> tuple[int, int]:
    digest = hashlib.sha256(str(seed).encode()).digest()
    return (
        1 + int.from_bytes(digest[:8]) % (PRIME - 1),
        int.from_bytes(digest[8:16]) % PRIME,
    )
