"""Records the figures of a run in bounded memory, while the run goes on. Prints nothing."""

import time
from collections.abc import Mapping, Sequence

from poolrace.producer.analysis.utilisation import UtilisationSum
from poolrace.producer.executors.base import Executor
from poolrace.producer.experiments.dispatch import Recorder
from poolrace.producer.experiments.record_selection import RecordSelection
from poolrace.producer.jobs.ledger import Ledger
from poolrace.producer.results.run import ChunkMark, ChunkRecord, Event, SlotShare, Utilisation
from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.host_facts import usable_cores
from poolrace.workers.usage import Usage

RECORD_BITS = 256
"""Bits of the largest value that a record stores; records of larger values store ``None``."""


class RunRecorder(Recorder):
    """Figures, events, utilisation and selected records of a run.

    Times are those of ``perf_counter``, the producer's clock.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._began = self._arrived_at = self._arrived_s = 0.0
        self._hosts: object = None
        self._cores = 0.0
        """Cores of ``_hosts``, the executor's hosts when the last results arrived."""
        self._slot_s = self._core_s = self._computed_s = 0.0
        self._selection = RecordSelection()
        self._utilisation = UtilisationSum()
        self._marks: Mapping[Chunk, ChunkMark] = {}
        """Marks of the chunks whose results arrived last."""
        self._later_s: dict[tuple[str, str], float] = {}
        """Host and slot -> duration of its results that arrived last and are not recorded yet."""
        self.startup_s = self.elapsed_s = self.busy_s = 0.0
        self.slots = self.chunks = 0
        self.usage = Usage()
        self.shares: dict[str, dict[str, SlotShare]] = {}
        self._shares: dict[tuple[str, str], SlotShare] = {}
        """The same shares, by host and slot."""
        self.events: list[Event] = []

    def start(self) -> None:
        """Start the clock."""
        self._executor.take_events()  # drops the events of the start-up
        self.slots = self._executor.slots
        self._began = self._arrived_at = time.perf_counter()

    def stop(self) -> None:
        """Stop the clock."""
        self.collected(())
        self.elapsed_s = self._arrived_s

    def collected(self, results: Sequence[ChunkResult]) -> None:
        """Add the seconds of slots and cores, and the events, since the last results."""
        now = time.perf_counter()
        since_s = now - self._arrived_at
        self._slot_s += self._executor.slots * since_s
        self._core_s += self._usable_cores() * since_s
        self._arrived_at, self._arrived_s = now, now - self._began
        if events := self._executor.take_events():
            self.events += [event.at(self._arrived_s) for event in events]
        self._marks = self._executor.take_marks()
        if self._later_s:
            self._later_s.clear()
        if len(results) > 1:
            for result in results:
                key = result.host, result.slot
                self._later_s[key] = self._later_s.get(key, 0.0) + result.duration_s

    def counted(self, ledger: Ledger, result: ChunkResult, sent_at: float) -> None:
        """Record a result that the ledger counted."""
        host, slot, duration_s, busy_s = result.host, result.slot, result.duration_s, result.busy_s
        self.chunks += 1
        self.busy_s += busy_s
        self._computed_s += result.cpu_s
        share = self._shares.get((host, slot)) or self._new_share(host, slot)
        share.chunks += 1
        share.indices += result.chunk.stop - result.chunk.start
        share.busy_s += busy_s
        ended_s = self._ended_s(result) if self._later_s else self._arrived_s
        self._utilisation.add(host, slot, max(ended_s - duration_s, 0.0), ended_s, busy_s)
        mark = self._marks.get(result.chunk, "") if self._marks else ""
        if self._selection.wants(duration_s, mark):
            self._selection.add(self._record(ledger, result, sent_at, mark))

    def duplicate(self, ledger: Ledger, result: ChunkResult) -> None:
        """Record a result that the ledger ignored."""
        if self._later_s:
            self._ended_s(result)
        self._selection.add_duplicate(self._record(ledger, result, None, "duplicate"))

    @property
    def efficiency(self) -> float:
        """The used share of the slots, or that of the cores, if it is larger.

        Work that computes is limited by the cores, however many slots there are.
        """
        return max(self.busy_s / self._slot_s, self._computed_s / self._core_s)

    @property
    def records(self) -> list[ChunkRecord]:
        """Records of all chunks, or of a selection that covers the whole run."""
        return self._selection.records()

    @property
    def utilisation(self) -> Utilisation:
        """The utilisation of the slots over time."""
        return self._utilisation.total(self.elapsed_s)

    def _new_share(self, host: str, slot: str) -> SlotShare:
        share = self._shares[host, slot] = SlotShare()
        self.shares.setdefault(host, {})[slot] = share
        return share

    def _ended_s(self, result: ChunkResult) -> float:
        """Second of the run in which a chunk ended whose result arrived together with others.

        The chunks of a batch run one after the other: a chunk ended before the next one began.
        """
        key = result.host, result.slot
        self._later_s[key] -= result.duration_s
        return max(self._arrived_s - self._later_s[key], 0.0)

    def _usable_cores(self) -> float:
        """Cores of the executor's hosts, which change much less often than chunks end."""
        hosts = self._executor.hosts
        if self._hosts is not hosts:
            self._hosts, self._cores = hosts, usable_cores(hosts)
        return self._cores

    def _record(
        self, ledger: Ledger, result: ChunkResult, sent_at: float | None, mark: ChunkMark
    ) -> ChunkRecord:
        return ChunkRecord(
            start=result.chunk.start,
            stop=result.chunk.stop,
            host=result.host,
            slot=result.slot,
            arrived_s=self._arrived_s,
            duration_s=result.duration_s,
            value=_storable(result.value),
            merged=_storable(ledger.value),
            sent_s=None if sent_at is None else sent_at - self._began,
            cpu_s=result.cpu_s,
            waited_s=result.waited_s,
            mark=mark,
        )


def _storable(value: int) -> int | None:
    """Return the value, or ``None`` if it is too large for a record."""
    return value if value.bit_length() <= RECORD_BITS else None
