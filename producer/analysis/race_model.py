"""Model of a race: predicts a pool's throughput from what an item and its message cost. Pure.

The model is a closed queueing network. The utilisation law bounds throughput: an item takes CPU
time of the machine's cores, and of one process's single thread of Python code; neither can be
busy for more than all of the time. Little's law gives the slots that this throughput needs: items
per second times the seconds that an item keeps a slot. So throughput grows with the slots up to a
bend, and is level beyond it. All speeds are executions per second: failed items count, since they
cost as much.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import fsum, inf

from poolrace.producer.analysis.race_summary import laps_of
from poolrace.producer.results.race import Lap, Race

PRODUCER_CPU_S = 0.0004
"""CPU seconds that sending an item and Redis take, on the same cores as the workers."""

MESSAGE_S = (0.0005, 0.003)
"""CPU seconds of a message in a solo worker, least and most; 0.7 to 2.4 ms were measured. CPU time
beyond that, outside of the thread that runs the item, is the item's own."""

MESSAGE_FACTORS = {"prefork": (1.2, 0.4), "threads": (1.1, 1.1), "gevent": (1.6, 1.6)}
"""Pool -> ratio of the CPU time of a message to that in a solo worker, in all processes and in
the main process; 2.2 to 2.5, 1.5 to 2.4 and 2.5 to 4.1 ms were measured where solo took 2.0."""

SHARPNESS = 4.0
"""Exponent of the bend for a task that only waits: with as many slots as the bend, throughput is
2 ** (-1/4) = 84 % of the level. Measured with 50 ms of waiting: 97, 75 and 41 % of the level with
1.64, 0.82 and 0.41 times the slots of the bend, computed 97, 75 and 41 %."""

FULL = 0.97
"""Share of the time in which slots run items, from which on they count as never idle."""

TOLERANCE = 1.1
"""Ratio of a measured level to the one that the utilisation law gives, at most; the CPU time of a
message falls a little when many are under way."""

RELEASES_GIL = 1.1
"""CPU cores of one process from which its threads count as running in parallel."""

OUT_OF_CPU = 0.85
"""CPU seconds per second of a main process from which it counts as out of CPU: it runs one thread
of Python code at a time, and also waits for Redis."""

BLOCKED_OVERLAP = 1.5
"""Mean number of greenlets that run at a time, below which they count as blocked."""

BLOCKED_WAITING = 0.5
"""Share of its running time that a task must wait for its greenlets to count as blocked."""


@dataclass(frozen=True)
class ItemCost:
    """Seconds that one item takes while no other runs, from the base laps."""

    running_s: float
    """Seconds between its start and its end, without the time in which it waited for a core."""
    own_cpu_s: float
    """CPU seconds of the thread that runs it."""
    other_cpu_s: float
    """CPU seconds outside of that thread that are the item's own, as of subprocesses."""
    message_s: float
    """CPU seconds of its message in the base's worker."""
    slot_s: float
    """Seconds that it keeps its slot, including the time between two items."""

    @property
    def waiting_share(self) -> float:
        """Share of the running time in which the item neither computes nor waits for a core."""
        if self.running_s <= 0:
            return 0.0
        return min(1.0, max(0.0, 1 - (self.own_cpu_s + self.other_cpu_s) / self.running_s))


@dataclass(frozen=True)
class PoolModel:
    """Cost of an item in one pool, and the throughput that follows from it."""

    pool: str
    cores: int
    item: ItemCost
    cpu_s: float
    """CPU seconds per item of all processes of the workers."""
    main_cpu_s: float
    """CPU seconds per item of the part of a worker that runs one thread at a time: for prefork the
    main process, for the other pools the whole process, unless its threads run in parallel."""
    levels: tuple[tuple[int, float], ...] = ()
    """Number of workers -> executions/s that measured laps show to be the level, at most."""

    def ceiling(self, workers: int = 1) -> float:
        """Executions/s that this number of workers reaches at most, with any number of slots."""
        measured = dict(self.levels)
        if workers in measured:
            return measured[workers]
        return min(self.law(workers), self._elsewhere())

    def law(self, workers: int = 1) -> float:
        """Executions/s that the CPU allows: the utilisation law alone."""
        return min(workers / self.main_cpu_s, self.cores / (self.cpu_s + PRODUCER_CPU_S))

    def bend(self, workers: int = 1) -> float:
        """Number of slots in all workers beyond which throughput is level (Little's law)."""
        return self.ceiling(workers) * self.item.slot_s

    def speed(self, slots: int, workers: int = 1) -> float:
        """Executions/s with ``slots`` slots in all workers."""
        level = self.ceiling(workers)
        low, high = sorted((level, slots / self.item.slot_s))
        return low * math.pow(1 + (low / high) ** self.sharpness, -1 / self.sharpness)

    @property
    def sharpness(self) -> float:
        """Exponent of the bend; slots of a task that hardly waits are never idle."""
        return SHARPNESS / max(self.item.waiting_share, 0.05)

    def _elsewhere(self) -> float:
        """Executions/s that something other than the CPU allows, as a service behind the task."""
        limits = [level for workers, level in self.levels if level < OUT_OF_CPU * self.law(workers)]
        return min(limits, default=inf)


def item_cost(base: Sequence[Lap]) -> ItemCost:
    """The cost of an item from the base laps, in which one item runs at a time."""
    number = max(sum(lap.executions for lap in base), 1)
    running_s = fsum(lap.running_total_s - lap.core_wait_s for lap in base) / number
    own_s = fsum(lap.own_cpu_s for lap in base) / number
    besides_s = max(0.0, fsum(lap.cpu_s for lap in base) / number - own_s)
    least_s, most_s = MESSAGE_S
    message_s = min(max(besides_s, least_s), most_s)
    kept_s = fsum(lap.wall_s - lap.core_wait_s for lap in base) / number
    return ItemCost(
        running_s=max(running_s, 1e-6),
        own_cpu_s=own_s,
        other_cpu_s=max(0.0, besides_s - message_s),
        message_s=message_s,
        slot_s=max(running_s, kept_s, own_s + least_s),
    )


def expected(pool: str, item: ItemCost, cores: int) -> PoolModel:
    """The model of a pool without any lap, from typical costs of a message in that pool.

    Threads are expected to run in parallel while they compute; a lap shows whether they do.
    """
    everywhere, main = MESSAGE_FACTORS.get(pool, (1.0, 1.0))
    cpu_s = item.own_cpu_s + item.other_cpu_s + everywhere * item.message_s
    main_cpu_s = main * item.message_s
    if pool in {"gevent", "solo"}:
        main_cpu_s += item.own_cpu_s
    return PoolModel(pool, cores, item, cpu_s, main_cpu_s)


def fitted(
    pool: str, item: ItemCost, laps: Sequence[Lap], cores: int, *, gil: bool = True
) -> PoolModel:
    """The model of a pool from laps of its candidates; without usable laps the expected one.

    ``gil`` says whether threads of a process compute one at a time.
    """
    model = expected(pool, item, cores)
    usable = [lap for lap in laps if lap.executions and not lap.lost]
    if not usable:
        return model
    number = sum(lap.executions for lap in usable)
    cpu_s = max(fsum(lap.cpu_s for lap in usable) / number, 1e-6)
    model = replace(model, cpu_s=cpu_s, main_cpu_s=_main_cpu_s(model, usable, cpu_s, gil=gil))
    counts = dict.fromkeys(lap.candidate.workers for lap in usable)
    levels = {
        workers: _level(model, [lap for lap in usable if lap.candidate.workers == workers])
        for workers in counts
    }
    return replace(model, levels=tuple(sorted(levels.items())))


def speed_of(lap: Lap) -> float:
    """Executions/s of a lap; failed items count."""
    return lap.items_per_s * lap.executions / lap.items if lap.items else 0.0


def main_cpu_share(lap: Lap, model: PoolModel) -> float:
    """CPU seconds per second of each main process in a lap, by the model of its pool."""
    return speed_of(lap) * model.main_cpu_s / lap.candidate.workers


def is_out_of_cpu(lap: Lap, model: PoolModel) -> bool:
    """Whether the main processes of a lap used up one CPU core each; more workers would help."""
    return main_cpu_share(lap, model) >= OUT_OF_CPU


def is_blocked(lap: Lap, item: ItemCost) -> bool:
    """Whether the greenlets of a lap all stood still while one of them waited."""
    return (
        lap.candidate.pool == "gevent"
        and lap.candidate.concurrency >= 4
        and item.waiting_share >= BLOCKED_WAITING
        and lap.running_total_s < BLOCKED_OVERLAP * lap.candidate.workers * lap.wall_s
    )


def potential(race: Race, pool: str) -> float:
    """Ratio, at least 1, of the speed that a pool may still reach to the best that it reached.

    The model decides, with any number of slots, and with one worker, two, or one per core.
    Infinite for a pool without any usable lap.
    """
    laps = [
        lap
        for candidate in race.candidates
        if candidate.pool == pool
        for lap in laps_of(race, candidate)
    ]
    best = max(map(speed_of, laps), default=0.0)
    if not best:
        return inf
    model = fitted(pool, item_cost(race.base), laps, race.cores, gil=race.gil)
    counts = {1, min(2, race.cores), race.cores, *(lap.candidate.workers for lap in laps)}
    speeds = (
        model.speed(workers, workers) if pool == "solo" else model.ceiling(workers)
        for workers in counts
    )
    return max(1.0, *(speed / best for speed in speeds))


def _main_cpu_s(model: PoolModel, laps: Sequence[Lap], cpu_s: float, *, gil: bool) -> float:
    """CPU seconds per item of the part of a worker that runs one thread at a time."""
    known = [lap for lap in laps if lap.main_cpu_s is not None]
    if model.pool == "prefork":
        number = sum(lap.executions for lap in known)
        main_s = fsum(lap.main_cpu_s or 0.0 for lap in known)
        return max(main_s / number, 1e-6) if number else model.main_cpu_s
    parallel = any(
        speed_of(lap) * lap.cpu_s / lap.executions > RELEASES_GIL * lap.candidate.workers
        for lap in laps
    )
    if model.pool == "threads" and (parallel or not gil):
        return model.main_cpu_s if gil else cpu_s / model.cores
    return cpu_s


def _level(model: PoolModel, laps: Sequence[Lap]) -> float:
    """Executions/s that a number of workers reaches at most, from their laps.

    Slots that are idle, or whose items take longer than in the base, show that the level is
    reached; slots that are busy show nothing but that it is not lower.
    """
    best = max(laps, key=speed_of)
    reached = speed_of(best)
    if not reached:
        return 1e-9
    estimates = [
        _level_of(model, lap) for lap in laps if lap.candidate.slots >= best.candidate.slots
    ]
    return max(reached, min(estimates))


def _level_of(model: PoolModel, lap: Lap) -> float:
    """Executions/s of the level that one lap shows."""
    reached, sharpness = speed_of(lap), model.sharpness
    busy = reached * model.item.slot_s / lap.candidate.slots
    upper = TOLERANCE * model.law(lap.candidate.workers)
    if busy >= FULL:
        return upper
    return min(upper, reached * math.pow(1 - busy**sharpness, -1 / sharpness))
