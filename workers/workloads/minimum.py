"""``minimum``: the smallest value of a sequence, merged by a generator coroutine."""

import hashlib
from dataclasses import dataclass
from typing import Any, ClassVar

from poolrace.workers.errors import UsageError
from poolrace.workers.workloads.base import Merge, Steps, Workload, parameter, running_minimum

PRIME = 1_000_000_007
"""Modulus of the pseudo-random sequence."""

MAX_VALUES = 10_000
"""Values that a user can give, at most, because every message carries all of them."""

SLICE = 100_000
"""Indices between two yields to other greenlets and coroutines (about 20 ms)."""


@dataclass(frozen=True)
class Minimum(Workload):
    """Finds the smallest of given values, or of a seeded pseudo-random sequence.

    The seeded sequence is ``(a * i + b) mod PRIME - PRIME // 2`` with ``a`` and ``b`` derived
    from the seed, so any chunk can be computed without its neighbours.
    """

    name: ClassVar[str] = "minimum"
    title: ClassVar[str] = "the running minimum of a sequence, merged by a generator coroutine"
    default_range: ClassVar[tuple[int, int]] = (0, 1_000_000)
    limit: ClassVar[int] = 10**12

    values: tuple[int, ...] = parameter((), "Values of minimum, as in 10,4,22,-6")
    seed: int = parameter(0, "Seed of minimum's pseudo-random sequence, used without --values")

    def __post_init__(self) -> None:
        if not all(type(value) is int for value in (*self.values, self.seed)):
            raise UsageError(f"--values {self.values!r}: give whole numbers, as in 10,4,22,-6")
        if len(self.values) > MAX_VALUES:
            raise UsageError(f"--values has {len(self.values)} numbers; give at most {MAX_VALUES}")
        object.__setattr__(self, "values", tuple(self.values))  # JSON has lists only

    def default_stop(self) -> int:
        """The number of given values, or the workload's default."""
        return len(self.values) or super().default_stop()

    def check(self, start: int, stop: int) -> None:
        """Raise ``UsageError`` also for a range beyond the last given value."""
        super().check(start, stop)
        if self.values and stop > len(self.values):
            raise UsageError(f"--stop {stop} is beyond the {len(self.values)} given --values")

    def steps(self, start: int, stop: int) -> Steps:
        """Return the smallest value of ``[start, stop)``; yield 0 after each slice."""
        smallest = None
        a, b = _coefficients(self.seed)
        for begin in range(start, stop, SLICE):
            indices = range(begin, min(begin + SLICE, stop))
            if self.values:
                slice_minimum = min(self.values[i] for i in indices)
            else:
                slice_minimum = min((a * i + b) % PRIME for i in indices) - PRIME // 2
            smallest = slice_minimum if smallest is None else min(slice_minimum, smallest)
            yield 0.0
        return 0 if smallest is None else smallest

    def merge(self) -> Merge:
        """The coroutine that keeps the running minimum."""
        return running_minimum()

    def expected(self, start: int, stop: int) -> int:
        """The minimum by sorting the given values, or by Euclid's algorithm for the sequence."""
        if self.values:
            return sorted(self.values[start:stop])[0]
        a, b = _coefficients(self.seed)
        return least_residue(stop - start, PRIME, a, (a * start + b) % PRIME) - PRIME // 2

    def parameters(self) -> dict[str, Any]:
        """The parameters as JSON values."""
        return {"values": list(self.values), "seed": self.seed}


def least_residue(count: int, modulus: int, a: int, b: int) -> int:
    """The smallest ``(a * i + b) mod modulus`` for ``i`` in ``range(count)``, in O(log modulus).

    Only an index at which the residue wraps around can have a new minimum, and the residues at
    these indices form a sequence of the same kind with a smaller modulus: Euclid's algorithm.
    Requires ``count >= 1`` and ``0 <= a, b < modulus``.
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
    """The coefficients ``a`` and ``b`` of the sequence with this seed."""
    digest = hashlib.sha256(str(seed).encode()).digest()
    return (
        1 + int.from_bytes(digest[:8]) % (PRIME - 1),
        int.from_bytes(digest[8:16]) % PRIME,
    )
