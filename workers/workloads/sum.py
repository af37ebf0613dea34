"""``sum``: adds the indices of the range; CPU-bound."""

from dataclasses import dataclass
from typing import ClassVar

from poolrace.workers.errors import UsageError, unknown
from poolrace.workers.workloads.base import Steps, Workload, parameter

SLICE = 1_000_000
"""Indices between two yields to other greenlets and coroutines: about 40 ms of the pure-Python
loop, short enough that they stay responsive, and long enough that entering the loop has no
measurable cost."""

NUMPY_SLICE = 1 << 18
"""Indices in one NumPy array: 2 MiB of 64-bit integers, which fit into a core's cache."""


def _loop(start: int, stop: int) -> Steps:
    total = 0
    for begin in range(start, stop, SLICE):
        for i in range(begin, min(begin + SLICE, stop)):
            total += i
        yield 0.0
    return total


def _builtin(start: int, stop: int) -> Steps:
    total = 0
    for begin in range(start, stop, SLICE):
        total += sum(range(begin, min(begin + SLICE, stop)))
        yield 0.0
    return total


def _numpy(start: int, stop: int) -> Steps:
    try:
        import numpy as np  # noqa: PLC0415 # an extra, for this kernel only
    except ImportError as error:
        # Only here: importlib.metadata and tomllib take some 30 ms to import.
        from poolrace.workers.installation import install_command  # noqa: PLC0415

        command = install_command("numpy")
        raise UsageError(f"--kernel numpy needs the extra 'numpy': {command}") from error
    total = 0
    for begin in range(start, stop, NUMPY_SLICE):
        indices = np.arange(begin, min(begin + NUMPY_SLICE, stop), dtype=np.int64)
        total += int(indices.sum())
        yield 0.0
    return total


KERNELS = {"loop": _loop, "builtin": _builtin, "numpy": _numpy}
"""Functions that add a range, by the value of ``--kernel``."""


@dataclass(frozen=True)
class Sum(Workload):
    """Adds all indices of a range. Every kernel adds them one by one."""

    name: ClassVar[str] = "sum"
    title: ClassVar[str] = "add the indices of the range; pure CPU"
    default_range: ClassVar[tuple[int, int]] = (0, 100_000_000)
    limit: ClassVar[int] = 10**12  # an array of NUMPY_SLICE such indices still sums below 2**63

    kernel: str = parameter(
        "loop",
        "How sum adds: loop is pure Python, builtin is sum(range()), numpy releases the GIL,"
        " so that threads scale",
        choices=tuple(KERNELS),
    )

    def __post_init__(self) -> None:
        if self.kernel not in KERNELS:
            raise unknown("--kernel", self.kernel, KERNELS)

    @property
    def needs(self) -> str:
        """NumPy, if the kernel is ``numpy``."""
        return "numpy" if self.kernel == "numpy" else ""

    def steps(self, start: int, stop: int) -> Steps:
        """Return the sum of ``[start, stop)``; yield 0 after each slice."""
        return KERNELS[self.kernel](start, stop)

    def expected(self, start: int, stop: int) -> int:
        """The sum of the range by the closed form of Gauss."""
        return (start + stop - 1) * (stop - start) // 2
