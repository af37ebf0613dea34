"""``factorial``: adds factorials, with a wait before each multiplication; mostly waits."""

import math
from dataclasses import dataclass
from typing import ClassVar

from poolrace.workers.workloads.base import Steps, Workload, parameter, require_seconds


@dataclass(frozen=True)
class Factorial(Workload):
    """Computes the factorial of each index; the value of a range is the sum of its factorials."""

    name: ClassVar[str] = "factorial"
    title: ClassVar[str] = "the factorial of each index, one wait per multiplication; waiting only"
    default_range: ClassVar[tuple[int, int]] = (2, 5)
    limit: ClassVar[int] = 20_001  # 20,000! has 77,338 digits

    wait_s: float = parameter(
        1.0, "Seconds to wait: per multiplication (factorial) or per index (mixed)"
    )

    def __post_init__(self) -> None:
        require_seconds("--wait-s", self.wait_s)

    @property
    def waits(self) -> bool:
        """Whether ``wait_s`` is not 0."""
        return self.wait_s > 0

    def cost(self, start: int, stop: int) -> float:
        """The waits of the range; without waits, the digits of 30 bits that are multiplied.

        ``n!`` is a product of ``n`` factors that has about ``n / 4`` such digits on average.
        """
        return self._cost_below(stop) - self._cost_below(start)

    def _cost_below(self, stop: int) -> float:
        if self.waits:
            return max(stop - 1, 0) * max(stop - 2, 0) / 2
        return stop**3 / 12

    def steps(self, start: int, stop: int) -> Steps:
        """Return the sum of ``n!`` over ``[start, stop)``; wait before each multiplication."""
        total = 0
        for number in range(start, stop):
            product = 1
            for factor in range(2, number + 1):
                yield self.wait_s
                product *= factor
            total += product
        return total

    def expected(self, start: int, stop: int) -> int:
        """The sum of factorials, from ``math.factorial`` and one multiplication per index."""
        product = math.factorial(start)
        total = product
        for number in range(start + 1, stop):
            product *= number
            total += product
        return total
