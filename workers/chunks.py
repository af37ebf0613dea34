"""What crosses from producer to worker and back: small, frozen, made of JSON values only.

Holds no behaviour beyond checking and encoding; it knows neither Celery nor workloads.
"""

import math
import sys
from dataclasses import asdict, dataclass
from typing import Any

JSON_INT_BITS = 63
"""Integers above this size travel as hexadecimal text: any JSON reader keeps them exact, and
Python's limit of 4,300 decimal digits (sys.set_int_max_str_digits) does not apply to it."""


@dataclass(frozen=True, slots=True, order=True)
class Chunk:
    """A half-open range ``[start, stop)`` of a workload's indices."""

    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start

    def __str__(self) -> str:
        return f"[{self.start:_}, {self.stop:_})"


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """The partial of one chunk, and what it took.

    Times are in seconds and were taken where the chunk ran: ``duration_s`` by the wall
    clock, ``cpu_s`` in the chunk's own computing steps, ``waited_s`` as the sum of the waits
    that the workload asked for.
    """

    chunk: Chunk
    value: int
    duration_s: float
    cpu_s: float
    waited_s: float
    host: str
    slot: str

    @property
    def busy_s(self) -> float:
        """Seconds the chunk would have taken alone on a slot: computing plus waiting."""
        return self.cpu_s + self.waited_s

    def to_json(self) -> dict[str, Any]:
        """The result as a flat JSON object."""
        flat = asdict(self)
        chunk = flat.pop("chunk")
        return {**chunk, **flat, "value": encode_int(self.value)}

    @classmethod
    def from_json(cls, data: Any) -> "ChunkResult":
        """Rebuild a result; raises ``ValueError`` for anything that is not one."""
        try:
            return cls(
                chunk=_chunk(_integer(data["start"]), _integer(data["stop"])),
                value=decode_int(data["value"]),
                duration_s=_seconds(data["duration_s"]),
                cpu_s=_seconds(data["cpu_s"]),
                waited_s=_seconds(data["waited_s"]),
                host=str(data["host"]),
                slot=str(data["slot"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a chunk result: {error!r}") from error


def encode_int(value: int) -> int | str:
    """The integer itself, or hexadecimal text when it is larger than 63 bits."""
    return value if value.bit_length() <= JSON_INT_BITS else hex(value)


def decode_int(value: int | str) -> int:
    """Undo ``encode_int``; raises ``ValueError`` or ``TypeError`` for other values."""
    return int(value, 16) if isinstance(value, str) else _integer(value)


def _chunk(start: int, stop: int) -> Chunk:
    if not 0 <= stop - start <= sys.maxsize:
        raise ValueError(f"[{start}, {stop}) is no range")
    return Chunk(start, stop)


def _seconds(value: Any) -> float:
    seconds = float(value)
    if not 0 <= seconds < math.inf:
        raise ValueError(f"{value!r} is no time")
    return seconds


def _integer(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is not an integer")
    return value
