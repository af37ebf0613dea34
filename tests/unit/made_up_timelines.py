"""Made-up runs: chunks on slots of hosts, with times, marks and events that tests choose."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from poolrace.producer.analysis.utilisation import UtilisationSum
from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.files import load
from poolrace.producer.results.run import ChunkMark, ChunkRecord, Event, Run, SlotShare

EXAMPLE = Path(__file__).parents[2] / "tests/data/results/compare.json"


def comparison() -> Comparison:
    stored = load(EXAMPLE)
    assert isinstance(stored, Comparison)
    return stored


def a_run(records: Iterable[ChunkRecord], elapsed_s: float = 2.0, **fields: Any) -> Run:
    records = list(records)
    shares: dict[str, dict[str, SlotShare]] = {}
    for chunk in records:
        share = shares.setdefault(chunk.host, {}).setdefault(chunk.slot, SlotShare())
        share.busy_s += (chunk.cpu_s or 0.0) + (chunk.waited_s or 0.0)
        share.chunks += 1
    given: dict[str, Any] = {
        "records": records,
        "shares": shares,
        "chunks": sum(chunk.mark != "duplicate" for chunk in records),
        "elapsed_s": elapsed_s,
        "events": [],
        "slots": max(1, sum(map(len, shares.values()))),
        "hosts": len(shares),
        "utilisation": None,
    }
    return replace(comparison().runs[0], **{**given, **fields})


def record(
    slot: str, arrived_s: float, duration_s: float, sent_s: float | None = 0.0, **fields: Any
) -> ChunkRecord:
    given: dict[str, Any] = {"start": 0, "stop": 1, "host": "a", "value": 1, "merged": 1}
    return ChunkRecord(
        **{**given, **fields}, slot=slot, arrived_s=arrived_s, duration_s=duration_s, sent_s=sent_s
    )


@dataclass(frozen=True)
class Slot:
    """The chunks of one slot, made one after the other."""

    host: str
    slot: str
    draw: random.Random

    def chunks(
        self, from_s: float, to_s: float, cpu_s: float, waited_s: float = 0.0, held_s: float = 0.0
    ) -> list[ChunkRecord]:
        """Chunks with these parts of their time, up to a fifth shorter or longer."""
        made: list[ChunkRecord] = []
        at_s = from_s
        while True:
            factor = self.draw.uniform(0.8, 1.2)
            duration_s = factor * (cpu_s + waited_s + held_s)
            sent_s, at_s = max(0.0, at_s - 0.05), at_s + duration_s
            if at_s > to_s:
                return made
            made.append(self.chunk(at_s, duration_s, sent_s, factor * cpu_s, factor * waited_s))
            at_s += 0.01

    def chunk(
        self,
        arrived_s: float,
        duration_s: float,
        sent_s: float,
        cpu_s: float,
        waited_s: float = 0.0,
        mark: ChunkMark = "",
    ) -> ChunkRecord:
        start = self.draw.randrange(10**6)
        return record(
            self.slot, arrived_s, duration_s, sent_s, host=self.host, cpu_s=cpu_s,
            waited_s=waited_s, mark=mark, start=start, stop=start + 1000,
        )  # fmt: skip


def slots(host: str, number: int, seed: int = 1) -> list[Slot]:
    draw = random.Random(seed)
    return [Slot(host, f"{host}.{slot}", draw) for slot in range(1, number + 1)]


def of_threads() -> Run:
    """Four threads that compute: the GIL lets one of them run at a time."""
    made = [s.chunks(0.02, 4.0, cpu_s=0.05, held_s=0.15) for s in slots("box", 4)]
    return a_run(chain(*made), 4.02, model="celery:threads")


def with_straggler() -> Run:
    """Eight processes; one chunk takes ten times as long as the others."""
    first, *others = slots("box", 8)
    slow = [*first.chunks(0.0, 2.0, 0.3), first.chunk(6.0, 3.8, 2.15, 3.8)]
    return a_run([*slow, *(c for s in others for c in s.chunks(0.0, 2.7, 0.3))], 6.0)


def with_hoard() -> Run:
    """One of four workers takes twenty chunks at once, while the others become idle."""
    first, *others = slots("box", 4)
    hoard = [first.chunk(0.3 * (n + 1), 0.29, 0.0, 0.29) for n in range(20)]
    return a_run([*hoard, *(c for s in others for c in s.chunks(0.0, 2.2, 0.3))], 6.1)


def with_dead_host() -> Run:
    """Two hosts; one dies, its chunks are sent again to the other one; a third one joins."""
    alive, dead, late = slots("w1", 4), slots("w2", 4, 2), slots("w10", 2, 3)
    records = [
        *(c for s in alive for c in s.chunks(0.0, 8.0, 0.2, 0.3)),
        *(c for s in dead for c in s.chunks(0.0, 3.0, 0.2, 0.3)),
        *(c for s in late for c in s.chunks(5.0, 8.4, 0.2, 0.3)),
        *(s.chunk(8.7, 0.5, 3.0, 0.2, 0.3, "resent") for s in alive),
        late[0].chunk(8.9, 0.4, 8.3, 0.2, 0.2, "duplicate"),
        late[1].chunk(8.8, 0.3, 8.3, 0.1, 0.2, "backup"),
    ]
    events = [
        Event(4.1, "w2 fell silent", "silent", "w2"),
        Event(4.2, "4 chunks of w2 were sent again", "resent", "w2"),
        Event(4.9, "w10 joined", "joined", "w10"),
        Event(6.0, "Redis answered again", "reconnected"),
    ]
    return a_run(records, 9.0, events=events)


def large(number_of_slots: int = 1000, chunks: int = 100_000, hosts: int = 1) -> Run:
    """A run with so many slots and chunks that its utilisation is stored instead of all records."""
    total = UtilisationSum()
    per_slot = chunks // number_of_slots
    stored = []
    shares: dict[str, dict[str, SlotShare]] = {}
    for slot in range(number_of_slots):
        host = f"host{slot % hosts}"
        shares.setdefault(host, {})[str(slot)] = SlotShare(per_slot, per_slot, per_slot * 0.05)
        for number in range(per_slot):
            ended_s = 0.1 * (number + 1) + (3.0 * slot / number_of_slots if number > 60 else 0.0)
            total.add(host, str(slot), ended_s - 0.09, ended_s, 0.05 + 0.04 * (number < 30))
            if (slot * per_slot + number) % max(1, chunks // 900) == 0:
                stored.append(record(str(slot), ended_s, 0.09, host=host, cpu_s=0.05, waited_s=0.0))
    elapsed_s = 0.1 * per_slot + 3.0
    return a_run(
        stored, elapsed_s, chunks=chunks, shares=shares, slots=number_of_slots, hosts=hosts,
        utilisation=total.total(elapsed_s),
    )  # fmt: skip
