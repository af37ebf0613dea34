"""Chunks and chunk results, which producer and workers exchange as JSON values.

Only checks and encodes; does not import Celery or workloads.
"""

import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

JSON_INT_BITS = 63
"""Bits of the largest integer that is sent as a JSON number. A larger one is sent as hexadecimal
text: any JSON reader keeps it exact, and Python's limit of 4,300 decimal digits
(``sys.set_int_max_str_digits``) does not apply to hexadecimal."""


@dataclass(frozen=True, slots=True, order=True)
class Chunk:
    """A half-open range ``[start, stop)`` of a workload's indices."""

    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start

    def __str__(self) -> str:
        return f"[{self.start:_}, {self.stop:_})"


CutRange = list[int]
"""``[start, stop, size]``: a range that is cut into chunks of ``size`` indices, of which the last
may be smaller. ``[start, start, 0]`` is one empty chunk."""

MAX_CHUNKS = 10_000
"""Chunks of a message or of a result, at most: a few digits could name more than fit in memory."""


class ChunkResult(NamedTuple):  # a frozen dataclass takes three times as long to make
    """The partial of one chunk, with the times it took and the slot that computed it.

    Times are in seconds, measured by the process that computed the chunk: ``duration_s`` by the
    wall clock, ``cpu_s`` as CPU time within the chunk's steps, ``waited_s`` as the sum of the
    waits that the workload yielded.
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
        """Seconds that the chunk would take on an otherwise idle core: computing plus waiting."""
        return self.cpu_s + self.waited_s

    def to_json(self) -> dict[str, Any]:
        """The result as a flat JSON object."""
        return {  # dataclasses.asdict takes 9 us, as much as computing a short chunk
            "start": self.chunk.start,
            "stop": self.chunk.stop,
            "value": encode_int(self.value),
            "duration_s": self.duration_s,
            "cpu_s": self.cpu_s,
            "waited_s": self.waited_s,
            "host": self.host,
            "slot": self.slot,
        }

    @classmethod
    def from_json(cls, data: Any) -> "ChunkResult":
        """Build a result from its JSON object; raises ``ValueError`` for any other value."""
        try:
            return cls(
                chunk=make_chunk(_integer(data["start"]), _integer(data["stop"])),
                value=decode_int(data["value"]),
                duration_s=_seconds(data["duration_s"]),
                cpu_s=_seconds(data["cpu_s"]),
                waited_s=_seconds(data["waited_s"]),
                host=str(data["host"]),
                slot=str(data["slot"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a chunk result: {error!r}") from error


def to_cut_ranges(chunks: Iterable[Chunk]) -> list[CutRange]:
    """The chunks as cut ranges, in their order: neighbours of one size become one of them.

    A message of 500 short chunks has three numbers instead of a thousand, which the producer
    encodes once and a worker decodes several times.
    """
    ranges: list[CutRange] = []
    expected, size = -1, 0  # where the next chunk of the last range begins, if it may have one
    for chunk in chunks:
        start, stop = chunk.start, chunk.stop
        if start == expected and start < stop <= start + size:
            ranges[-1][1] = stop
        else:
            size = stop - start
            ranges.append([start, stop, size])
        expected = stop if stop == start + size else -1
    return ranges


def from_cut_ranges(ranges: Iterable[CutRange]) -> list[Chunk]:
    """The chunks of cut ranges; raises ``ValueError`` or ``TypeError`` for any other value, and for
    more than ``MAX_CHUNKS``."""
    chunks: list[Chunk] = []
    for start, stop, size in ranges:
        count = _number_of_chunks(_integer(start), _integer(stop), _integer(size))
        if count > MAX_CHUNKS - len(chunks):
            raise ValueError(f"[{start}, {stop}) in chunks of {size}: more than {MAX_CHUNKS:_}")
        starts = range(start, stop, size) if size else (start,)
        chunks += [Chunk(begin, min(begin + size, stop)) for begin in starts]
    return chunks


def number_of_chunks(ranges: Iterable[CutRange]) -> int:
    """Number of chunks of cut ranges; raises ``ValueError`` for any other value."""
    return sum(_number_of_chunks(*cut) for cut in ranges)


def _number_of_chunks(start: int, stop: int, size: int) -> int:
    length = len(make_chunk(start, stop))
    if not (0 < size <= length or size == length == 0):
        raise ValueError(f"[{start}, {stop}) cannot be cut into chunks of {size}")
    return -(-length // size) if size else 1


def results_to_json(results: Sequence[ChunkResult]) -> dict[str, Any]:
    """The results of a batch, computed in one slot, as a JSON object with a list per field.

    Encoding and decoding take a third of the time that an object per result takes. Times are whole
    nanoseconds: JSON has 20 digits for a number of seconds, which take as long as all the rest.
    """
    return {
        "host": results[0].host if results else "",
        "slot": results[0].slot if results else "",
        "ranges": to_cut_ranges(result.chunk for result in results),
        "values": [encode_int(result.value) for result in results],
        "durations_ns": [_nanoseconds(result.duration_s) for result in results],
        "cpu_ns": [_nanoseconds(result.cpu_s) for result in results],
        "waited_ns": [_nanoseconds(result.waited_s) for result in results],
    }


def encode_int(value: int) -> int | str:
    """The integer itself, or hexadecimal text when it is larger than 63 bits."""
    return value if value.bit_length() <= JSON_INT_BITS else hex(value)


def decode_int(value: int | str) -> int:
    """The integer that ``encode_int`` encoded; raises ``ValueError`` or ``TypeError`` otherwise."""
    return int(value, 16) if isinstance(value, str) else _integer(value)


def make_chunk(start: int, stop: int) -> Chunk:
    """The chunk ``[start, stop)``; raises ``ValueError`` if it is no range."""
    if not 0 <= stop - start <= sys.maxsize:
        raise ValueError(f"[{start}, {stop}) is not a range")
    return Chunk(start, stop)


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1e9)


def _seconds(value: Any) -> float:
    seconds = float(value)
    if not 0 <= seconds < math.inf:
        raise ValueError(f"{value!r} is not a number of seconds, 0 or more")
    return seconds


def _integer(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is not an integer")
    return value
