"""Reads a trace in the Trace Event Format, and checks its rules as readers of traces rely on them.

Phases, their fields and their meaning are those of the document "Trace Event Format".
"""

import json
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

Event = dict[str, Any]
Key = tuple[int, int]

FIELDS = {
    "M": {"args"},
    "X": {"ts", "dur", "cat", "args"},
    "s": {"ts", "cat", "id"},
    "f": {"ts", "cat", "id", "bp"},
    "i": {"ts", "cat", "s", "args"},
    "C": {"ts", "args"},
}
"""Phase -> fields besides ``ph``, ``name``, ``pid`` and ``tid``."""


@dataclass
class Trace:
    """A checked trace: its slices, flows, instants and counters, by the names of their tracks."""

    about: dict[str, str]
    processes: list[str] = field(default_factory=list)
    threads: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    slices: dict[tuple[str, str], list[Event]] = field(default_factory=lambda: defaultdict(list))
    flows: list[tuple[Event, Event]] = field(default_factory=list)
    """The slices at the beginning and at the end of each flow."""
    instants: list[tuple[str, Event]] = field(default_factory=list)
    counters: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))

    def names(self, process: str, thread: str) -> list[str]:
        """The names of the slices of a thread."""
        return [each["name"] for each in self.slices[process, thread]]


def read_trace(text: str) -> Trace:
    """Read the trace; an assertion fails for a broken rule."""
    content = json.loads(text, parse_constant=_refuse)
    assert set(content) == {"traceEvents", "displayTimeUnit", "otherData"}
    assert content["displayTimeUnit"] in ("ms", "ns")
    events: list[Event] = content["traceEvents"]
    for event in events:
        assert set(event) == {"ph", "name", "pid", "tid"} | FIELDS[event["ph"]], event
        assert all(event.get(name, 0) >= 0 for name in ("pid", "tid", "ts", "dur")), event
    named = [event for event in events if event["ph"] == "M"]
    timed = events[len(named) :]
    assert named == events[: len(named)], "names come first"
    assert timed == sorted(timed, key=lambda event: event["ts"]), "events are in order of time"
    trace = Trace(content["otherData"])
    process_names, thread_names = _read_names(named, trace)
    _read_slices(timed, process_names, thread_names, trace)
    _read_flows(timed, trace, process_names, thread_names)
    for event in timed:
        if event["ph"] == "i":
            assert event["s"] in ("g", "p", "t"), event
            trace.instants.append((process_names[event["pid"]], event))
        if event["ph"] == "C":
            assert all(isinstance(value, int | float) for value in event["args"].values())
            trace.counters[process_names[event["pid"]]].append(event)
    return trace


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


def _read_names(named: list[Event], trace: Trace) -> tuple[dict[int, str], dict[Key, str]]:
    """The names of processes and threads; every number is used once, and sorts as its name."""
    processes: dict[int, str] = {}
    threads: dict[Key, str] = {}
    orders: dict[str, list[int]] = defaultdict(list)
    for event in named:
        kind, _, key = event["name"].partition("_")
        assert kind in ("process", "thread"), event
        if key == "sort_index":
            orders[kind].append(event["args"]["sort_index"])
            continue
        assert key == "name", event
        if kind == "process":
            processes[event["pid"]] = event["args"]["name"]
            trace.processes.append(event["args"]["name"])
        else:
            threads[event["pid"], event["tid"]] = event["args"]["name"]
            trace.threads[processes[event["pid"]]].append(event["args"]["name"])
    numbers = [*processes, *(tid for _, tid in threads)]
    assert len(numbers) == len(set(numbers)), "readers tell threads apart by their ids alone"
    for kind, names in (("process", processes), ("thread", threads)):
        assert len(orders[kind]) == len(names)
    return processes, threads


def _read_slices(
    timed: list[Event], processes: dict[int, str], threads: dict[Key, str], trace: Trace
) -> None:
    """The slices of each thread, which nest or do not overlap."""
    open_until: dict[Key, list[float]] = defaultdict(list)
    for event in timed:
        if event["ph"] == "X":
            key = event["pid"], event["tid"]
            ends = open_until[key]
            while ends and ends[-1] <= event["ts"] + 1e-6:
                ends.pop()
            end = event["ts"] + event["dur"]
            assert not ends or end <= ends[-1] + 1e-6, ("slices overlap", event)
            ends.append(end)
            trace.slices[processes[key[0]], threads[key]].append(event)


def _read_flows(
    timed: list[Event], trace: Trace, processes: dict[int, str], threads: dict[Key, str]
) -> None:
    """The flows: each begins once and ends once, later, within a slice at both ends."""
    begun: dict[int, Event] = {}
    ended: set[int] = set()
    for event in timed:
        if event["ph"] == "s":
            assert event["id"] not in begun, event
            begun[event["id"]] = event
        elif event["ph"] == "f":
            source = begun[event["id"]]
            assert event["id"] not in ended, event
            ended.add(event["id"])
            assert (source["name"], source["cat"]) == (event["name"], event["cat"])
            assert event["bp"] == "e", "without it, the flow ends at the next slice"
            ends = [
                _enclosing(each, trace.slices[processes[each["pid"]], threads[_key(each)]])
                for each in (source, event)
            ]
            trace.flows.append((ends[0], ends[1]))
    assert ended == set(begun)


def _enclosing(event: Event, slices: list[Event]) -> Event:
    """The slice that encloses the event, as a reader finds it: the last one that has begun."""
    place = bisect_right(slices, event["ts"], key=lambda each: each["ts"])
    assert place, ("no slice encloses", event)
    found = slices[place - 1]
    assert event["ts"] <= found["ts"] + found["dur"], ("no slice encloses", event)
    return found


def _key(event: Event) -> Key:
    return event["pid"], event["tid"]
