"""The events of a trace in the Trace Event Format: slices, flows, instants and counters.

Times are nanoseconds as whole numbers, so that rounding makes no two slices overlap; the format has
microseconds. The ids of processes and threads are unique in the whole trace: some readers tell
threads apart by their own id alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

Event = dict[str, Any]


def nanoseconds(seconds: float) -> int:
    """The time as a whole number of nanoseconds."""
    return round(seconds * 1e9)


@dataclass(frozen=True)
class Track:
    """A thread of the trace; its slices are drawn in one row."""

    pid: int
    tid: int


class TraceEvents:
    """Collects events, and orders them by time."""

    def __init__(self) -> None:
        self._metadata: list[Event] = []
        self._timed: list[Event] = []
        self._ids = count(1)
        self._flows = count(1)

    def process(self, name: str) -> Track:
        """Add a process below the ones so far; return the track of its instants and counters."""
        pid = next(self._ids)
        return self._named("process", Track(pid, pid), name)

    def thread(self, process: Track, name: str) -> Track:
        """Add a thread below the ones of the process so far."""
        return self._named("thread", Track(process.pid, next(self._ids)), name)

    def slice(
        self, track: Track, name: str, span: tuple[int, int], args: Mapping[str, Any]
    ) -> None:
        """Add a stretch of time with a begin and an end."""
        began, ended = span
        self._add("X", track, name, began, cat="work", dur=(ended - began) / 1000, args=dict(args))

    def flow(self, name: str, source: tuple[Track, int], target: tuple[Track, int]) -> None:
        """Add an arrow from the slice at one time of a track to the slice at another one.

        A reader binds each end to the slice that was added to its track before and encloses its
        time, so the slices have to be added first.
        """
        number = next(self._flows)
        for phase, (track, at), fields in (("s", source, {}), ("f", target, {"bp": "e"})):
            self._add(phase, track, name, at, cat="flow", id=number, **fields)

    def instant(self, track: Track, name: str, at: int, args: Mapping[str, Any]) -> None:
        """Add an event without a duration; it belongs to the process of the track."""
        self._add("i", track, name, at, cat="event", s="p", args=dict(args))

    def counter(self, process: Track, name: str, at: int, values: Mapping[str, float]) -> None:
        """Add the value that a counter of the process has from this time on."""
        self._add("C", process, name, at, args=dict(values))

    def ordered(self) -> list[Event]:
        """Names first, then all events by time; in the order of addition at equal times."""
        return [*self._metadata, *sorted(self._timed, key=lambda event: event["ts"])]

    def _named(self, kind: str, track: Track, name: str) -> Track:
        for key, args in (("name", {"name": name}), ("sort_index", {"sort_index": track.tid})):
            self._metadata.append(
                {"ph": "M", "name": f"{kind}_{key}", "pid": track.pid, "tid": track.tid}
                | {"args": args}
            )
        return track

    def _add(self, phase: str, track: Track, name: str, at: int, **fields: Any) -> None:
        self._timed.append(
            {"ph": phase, "name": name, "pid": track.pid, "tid": track.tid, "ts": at / 1000}
            | fields
        )
