"""A simulated cluster: Redis, hosts and slots, driven by events in virtual time.

The producer is the real program. While it sends and receives, the clock goes on by the costs of
its messages; while it waits, the clock goes on to the next event.
"""

import heapq
import math
import random
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from poolrace.producer.executors.celery.in_flight import Batch
from poolrace.producer.executors.simulated.fleet import Fleet, FleetHost, IndexTimes, SlotSpeed
from poolrace.producer.executors.simulated.shared_cores import Schedule, SharedCores
from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.runtime.presence import EXPIRE_S, REFRESH_S, Announcement, Presence
from poolrace.workers.workloads import EMPTY, Workload

Message = tuple[str, Batch]
"""The task id of a batch, and its chunks."""

POOL = "simulated"
"""Name of the pool that the simulated hosts form."""

PHASE = (math.sqrt(5) - 1) / 2
"""Share of a second between the announcements of two hosts, so that all are spread evenly."""


class SimulatedSlot:
    """A slot: its speed, its host, and the message that the slot computes."""

    __slots__ = ("host", "message", "name", "since", "speed")

    def __init__(self, host: "SimulatedHost", speed: SlotSpeed, name: str) -> None:
        self.host = host
        self.speed = speed
        self.name = name
        self.message: Message | None = None
        self.since = 0.0
        """Second at which the slot took its message."""


class SimulatedHost:
    """A host: its slots, and its announcements."""

    def __init__(self, described: FleetHost, number: int, at: Schedule) -> None:
        name = f"host{number}"
        self.described = described
        self.cores = SharedCores(described.cores, at) if described.cores else None
        self.slots = [
            SimulatedSlot(self, speed, f"{number}.{n}") for n, speed in enumerate(described.slots)
        ]
        facts = HostFacts(name, name, len(self.slots), None, "simulated", "simulated", "", gil=True)
        self.presence = Presence(f"{POOL}@{name}", POOL, len(self.slots), number, "", facts)
        self._leaving = replace(self.presence, slots=0)
        self._phase = number * PHASE % 1.0
        self.takes_until_s = min(described.leaves_s, described.dies_s)
        self.taking: deque[SimulatedSlot] = deque()
        """Slots whose messages the process of shared cores takes, the first of them now."""
        self.free_at_s = 0.0
        """Second at which the process that takes messages has taken the last one."""

    def announcement(self, now: float) -> Announcement | None:
        """The last announcement before ``now``, ``None`` if there is none or it has expired."""
        joins, dies = self.described.joins_s, self.described.dies_s
        if now < joins:
            return None
        lived = min(now, dies) - joins
        announced = max(joins + math.floor((lived + self._phase) / REFRESH_S) - self._phase, joins)
        if now - announced > EXPIRE_S:
            return None
        holds = frozenset(
            [slot.message[0] for slot in self.slots if slot.message and slot.since <= announced]
        )
        leaving = announced >= self.described.leaves_s
        if leaving and not any(slot.message for slot in self.slots):
            return None
        presence = self._leaving if leaving else self.presence
        return Announcement(presence, holds, now - announced)


class SimulatedCluster:
    """The hosts, the Redis and the clock of one run; an event costs some microseconds."""

    def __init__(self, fleet: Fleet, workload: Workload, times: IndexTimes) -> None:
        self.now = 0.0
        """Seconds of the virtual clock since the start of the run."""
        self.producer_s = self.redis_s = self.computed_s = 0.0
        """CPU seconds of the producer and of Redis; seconds that all slots computed or waited."""
        self.arrived: deque[tuple[str, list[ChunkResult]]] = deque()
        self.stored: dict[str, list[ChunkResult]] = {}
        """The stored result of each batch, by task id."""
        self.queue: deque[Message] = deque()
        self.costs = fleet.costs
        self._workload, self._times = workload, times
        self._random = random.Random(fleet.seed)  # noqa: S311 # no secret
        self._redis_free_at = 0.0
        self._idle: deque[SimulatedSlot] = deque()
        self._events: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._numbers = 0
        self.hosts = [
            SimulatedHost(host, number, self._at) for number, host in enumerate(fleet.hosts)
        ]
        for host in self.hosts:
            self._at(host.described.joins_s, self._join, host)
        self.run_until(0.0)

    def clock(self) -> float:
        """The seconds of the virtual clock."""
        return self.now

    def announcements(self) -> list[Announcement]:
        """The last announcement of each host."""
        found = [host.announcement(self.now) for host in self.hosts]
        return [announcement for announcement in found if announcement]

    def send(self, messages: Iterable[Message]) -> None:
        """Send one pipeline of messages: the queue gets all of them when it is complete."""
        messages = list(messages)
        self.spend(len(messages) * self.costs.send_s)
        for message in messages:
            if self._random.random() < self.costs.lost:
                continue
            jitter_s = self.costs.jitter_s and self._random.expovariate(1 / self.costs.jitter_s)
            self._at(self.now + self.costs.latency_s + jitter_s, self._enqueue, message)

    def spend(self, seconds: float) -> None:
        """Let the producer compute for some seconds."""
        self.producer_s += seconds
        self.run_until(self.now + seconds)

    def wait(self, timeout_s: float) -> None:
        """Let the producer wait for results."""
        deadline = self.now + timeout_s
        events = self._events
        while not self.arrived and events and events[0][0] <= deadline:
            self._run_next()
        if not self.arrived:
            self.now = deadline

    def run_until(self, until_s: float) -> None:
        """Run all events up to that second, and set the clock."""
        while self._events and self._events[0][0] <= until_s:
            self._run_next()
        self.now = until_s

    def _run_next(self) -> None:
        self.now, _, function, arguments = heapq.heappop(self._events)
        function(*arguments)

    def _at(self, at_s: float, function: Callable[..., None], *arguments: object) -> None:
        self._numbers += 1  # events of the same second run in this order
        heapq.heappush(self._events, (at_s, self._numbers, function, arguments))

    def _redis_delay_s(self) -> float:
        """Seconds until Redis has executed a command that arrives now."""
        self._redis_free_at = max(self._redis_free_at, self.now) + self.costs.redis_s
        self.redis_s += self.costs.redis_s
        return self._redis_free_at - self.now

    def _join(self, host: SimulatedHost) -> None:
        for slot in host.slots:
            self._take_next(slot)

    def _enqueue(self, message: Message) -> None:
        delay_s = self._redis_delay_s()
        while self._idle:
            slot = self._idle.popleft()
            if slot.host.takes_until_s > self.now:
                self._begin(slot, message, delay_s + self.costs.latency_s)
                return
        self.queue.append(message)

    def _take_next(self, slot: SimulatedSlot) -> None:
        if slot.host.takes_until_s <= self.now:
            return
        if self.queue:
            delay_s = self._redis_delay_s() + 2 * self.costs.latency_s
            self._begin(slot, self.queue.popleft(), delay_s)
        else:
            self._idle.append(slot)

    def _begin(self, slot: SimulatedSlot, message: Message, delay_s: float) -> None:
        host = slot.host
        slot.message = message
        if host.cores:
            slot.since = self.now + delay_s
            self._at(slot.since, self._take_with_shared_cores, slot, host.cores)
            return
        host.free_at_s = max(host.free_at_s, self.now + delay_s) + self.costs.host_s
        slot.since = host.free_at_s
        now = slot.since + self.costs.slot_s
        results = []
        for chunk in message[1]:
            work_s, wait_s = self._times(chunk.start, chunk.stop)
            began, now = now, slot.speed.end_s(now, work_s) + wait_s
            results.append(self._result(slot, chunk, now - began, work_s, wait_s))
        self._at(now, self._finish, slot, results)

    def _take_with_shared_cores(self, slot: SimulatedSlot, cores: SharedCores) -> None:
        """Add a slot to those whose messages a host takes, one after the other."""
        taking = slot.host.taking
        taking.append(slot)
        if len(taking) == 1:
            cores.run(self.now, self.costs.host_s, 0.0, self._taken, taking, cores)

    def _taken(self, taking: deque[SimulatedSlot], cores: SharedCores) -> None:
        slot = taking.popleft()
        cores.run(self.now, self.costs.slot_s, 0.0, self._begin_chunk, slot, cores, [])
        if taking:
            cores.run(self.now, self.costs.host_s, 0.0, self._taken, taking, cores)

    def _begin_chunk(
        self, slot: SimulatedSlot, cores: SharedCores, results: list[ChunkResult]
    ) -> None:
        """Begin the next chunk of the slot's message, or finish the message."""
        if slot.message is None or len(results) == len(slot.message[1]):
            self._finish(slot, results)
            return
        chunk, began = slot.message[1][len(results)], self.now
        work_s, wait_s = self._times(chunk.start, chunk.stop)

        def end_chunk() -> None:
            results.append(self._result(slot, chunk, self.now - began, work_s, wait_s))
            self._begin_chunk(slot, cores, results)

        cores.run(began, work_s / slot.speed.speed, wait_s, end_chunk)

    def _result(
        self, slot: SimulatedSlot, chunk: Chunk, duration_s: float, work_s: float, wait_s: float
    ) -> ChunkResult:
        """The result of a chunk that took this long."""
        value = self._workload.expected(chunk.start, chunk.stop) if len(chunk) else EMPTY
        cpu_s, host = work_s / slot.speed.speed, slot.host.presence.host.host
        return ChunkResult(chunk, value, duration_s, cpu_s, wait_s, host, slot.name)

    def _finish(self, slot: SimulatedSlot, results: list[ChunkResult]) -> None:
        if slot.host.described.dies_s <= self.now or slot.message is None:
            return  # the chunks died with their host
        task_id, slot.message = slot.message[0], None
        self.computed_s += sum(result.duration_s for result in results)
        self.stored[task_id] = results
        if self._random.random() >= self.costs.lost_results:
            delay_s = self._redis_delay_s() + 2 * self.costs.latency_s
            self._at(self.now + delay_s, self.arrived.append, (task_id, results))
        self._take_next(slot)
