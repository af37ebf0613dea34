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
from statistics import fmean

from poolrace.producer.analysis.item_cost import (
    IDLE,
    WAITING,
    ItemCost,
    has_idle_slots,
    is_blocked,
    item_cost,
    speed_of,
    takes_longer,
)
from poolrace.producer.analysis.race_summary import laps_of
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.race import Lap, Race

__all__ = [
    "OUT_OF_CPU", "ItemCost", "PoolModel", "expected", "fitted", "item_cost", "model_of",
    "potential",
]  # fmt: skip

MAX_SLOTS = 512
"""Slots that the search gives to a candidate, at most."""

PRODUCER_CPU_S = 0.0004
"""CPU seconds that sending an item and Redis take, on the same cores as the workers."""

MESSAGE_FACTORS = {"prefork": (1.2, 0.4), "threads": (1.1, 1.1), "gevent": (1.6, 1.6)}
"""Pool -> ratio of the CPU time of a message to that in a solo worker, in all processes and in
the main process; 2.2 to 2.5, 1.5 to 2.4 and 2.5 to 4.1 ms were measured where solo took 2.0."""

SHARPNESS = 4.0
"""Exponent of the bend for a task that only waits: with as many slots as the bend, throughput is
2 ** (-1/4) = 84 % of the level. Measured with 50 ms of waiting: 97, 75 and 41 % of the level with
1.64, 0.82 and 0.41 times the slots of the bend, computed 97, 75 and 41 %."""

FULL = 0.97
"""Share of the time in which slots run items, from which on they count as never idle."""

LITTLE_USED = 0.5
"""Share of the throughput that the CPU allows, below which busy slots are the only limit: at half
of it the bend costs 1.5 %, and a lap of long items begins and ends with slots that are idle."""

TOLERANCE = 1.1
"""Ratio of a measured level to the one that the utilisation law gives, at most; the CPU time of a
message falls a little when many are under way."""

CPU_LEFT = 0.65
"""CPU seconds per second of a main process, and share of the cores, below which something else than
the CPU is the limit. Beside background load a process that is out of CPU may reach 0.7."""

RELEASES_GIL = 1.1
"""CPU cores of one process from which its threads count as running in parallel."""

MORE_WORKERS = 1.08
"""Ratio of the throughput that the CPU allows more workers to that of the first number of them,
from which they are worth their memory."""

OUT_OF_CPU = 0.85
"""CPU seconds per second of a main process from which it counts as out of CPU: it runs one thread
of Python code at a time, and also waits for Redis."""


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
    supply_s: float = 0.0
    """Seconds per item of one worker to supply its slots, if laps had idle slots, else 0."""
    service: float = inf
    """Executions/s that a service behind the task serves at most, if laps show that."""

    def ceiling(self, workers: int = 1) -> float:
        """Executions/s that this number of workers reaches at most, with any number of slots."""
        measured = dict(self.levels)
        if workers in measured:
            return measured[workers]
        supplied = workers / self.supply_s if self.supply_s else inf
        return min(self.law(workers), supplied, self.service)

    def law(self, workers: int = 1) -> float:
        """Executions/s that the CPU allows: the utilisation law alone."""
        return min(workers / self.main_cpu_s, self.cores / (self.cpu_s + PRODUCER_CPU_S))

    def useful_workers(self, numbers: Sequence[int]) -> list[int]:
        """The first of these numbers of workers, and those for which the CPU allows clearly more.

        More workers help where the main process of one of them is the limit.
        """
        least = MORE_WORKERS * self.law(numbers[0])
        return [numbers[0], *(number for number in numbers[1:] if self.law(number) >= least)]

    def bend(self, workers: int = 1) -> float:
        """Number of slots in all workers beyond which throughput is level (Little's law)."""
        return self.ceiling(workers) * self.item.slot_s

    def speed(self, slots: int, workers: int = 1) -> float:
        """Executions/s with ``slots`` slots in all workers."""
        return self._bent(slots, self.ceiling(workers))

    def ideal(self, candidate: Candidate) -> float:
        """Executions/s of a candidate that only the CPU limits."""
        return self._bent(candidate.slots, self.law(candidate.workers))

    def quiet_speed(self, candidate: Candidate) -> float:
        """Executions/s of a candidate that only the CPU and a service behind the task limit."""
        return min(self.ideal(candidate), self.service)

    def _bent(self, slots: int, level: float) -> float:
        low, high = sorted((level, slots / self.item.slot_s))
        return low * math.pow(1 + (low / high) ** self.sharpness, -1 / self.sharpness)

    @property
    def sharpness(self) -> float:
        """Exponent of the bend; slots of a task that hardly waits are never idle."""
        return SHARPNESS / max(self.item.waiting_share, 0.05)


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
    # Little's law: no item kept its slot for longer than all slots were there for each. The base
    # may have been measured while the machine was slower.
    most_s = [lap.candidate.slots / speed_of(lap) for lap in usable if speed_of(lap)]
    model = replace(
        model,
        item=replace(item, slot_s=min([item.slot_s, *most_s])),
        cpu_s=cpu_s,
        main_cpu_s=_main_cpu_s(model, usable, cpu_s, gil=gil),
    )
    counts = dict.fromkeys(lap.candidate.workers for lap in usable)
    levels = {
        workers: _level(model, [lap for lap in usable if lap.candidate.workers == workers])
        for workers in counts
    }
    idle = [lap for lap in usable if has_idle_slots(lap, item)]
    waiting = [lap for lap in usable if _waits_for_service(lap, model)]
    return replace(
        model,
        levels=tuple(sorted(levels.items())),
        supply_s=min(
            (lap.candidate.workers / levels[lap.candidate.workers] for lap in idle), default=0.0
        ),
        service=max((levels[lap.candidate.workers] for lap in waiting), default=inf),
    )


def main_cpu_share(lap: Lap, model: PoolModel) -> float:
    """CPU seconds per second of each main process in a lap, by the model of its pool."""
    return speed_of(lap) * model.main_cpu_s / lap.candidate.workers


def is_out_of_cpu(lap: Lap, model: PoolModel) -> bool:
    """Whether the main processes of a lap used up one CPU core each; more workers would help."""
    return main_cpu_share(lap, model) >= OUT_OF_CPU


def model_of(race: Race, pool: str) -> PoolModel:
    """The model of a pool by all laps of a race."""
    return fitted(pool, item_cost(race.base), _laps_in(race, pool), race.cores, gil=race.gil)


def potential(race: Race, pool: str) -> float:
    """Ratio, at least 1, of the speed that a pool may still reach to the best that it reached.

    The model decides, with up to ``MAX_SLOTS`` slots, and with one worker, two, or one per core.
    Infinite for a pool without any usable lap.
    """
    laps = _laps_in(race, pool)
    best = max(map(speed_of, laps), default=0.0)
    if not best:
        return inf
    model = model_of(race, pool)
    numbers = model.useful_workers([1, min(2, race.cores), race.cores])
    counts = {*numbers, *(lap.candidate.workers for lap in laps)}
    speeds = (model.speed(workers if pool == "solo" else MAX_SLOTS, workers) for workers in counts)
    return max(1.0, *(speed / best for speed in speeds))


def _laps_in(race: Race, pool: str) -> list[Lap]:
    """The laps of all candidates of a pool."""
    return [
        lap
        for candidate in race.candidates
        if candidate.pool == pool
        for lap in laps_of(race, candidate)
    ]


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
        if not gil:
            return cpu_s / model.cores
        own_s = fsum(lap.own_cpu_s for lap in laps) / sum(lap.executions for lap in laps)
        return max(model.main_cpu_s, cpu_s - own_s - model.item.other_cpu_s)
    return cpu_s


def _waits_for_service(lap: Lap, model: PoolModel) -> bool:
    """Whether items that mostly wait took longer than alone, although CPU was left."""
    speed = speed_of(lap)
    return (
        model.item.waiting_share >= WAITING
        and takes_longer(lap, model.item)
        and not is_blocked(lap, model.item)
        and max(main_cpu_share(lap, model), speed * model.cpu_s / model.cores) < CPU_LEFT
    )


def _level(model: PoolModel, laps: Sequence[Lap]) -> float:
    """Executions/s that a number of workers reaches at most, from their laps.

    Slots that are idle, or whose items take longer than in the base, show that the level is
    reached; slots that are busy show nothing but that it is not lower.
    """
    speeds = {
        candidate: fmean(speed_of(lap) for lap in laps if lap.candidate == candidate)
        for candidate in dict.fromkeys(lap.candidate for lap in laps)
    }
    best = max(speeds, key=lambda candidate: speeds[candidate])
    if not speeds[best]:
        return 1e-9
    estimates = [
        _level_of(model, candidate, speed)
        for candidate, speed in speeds.items()
        if candidate.slots >= best.slots
    ]
    return max(speeds[best], min(estimates))


def _level_of(model: PoolModel, candidate: Candidate, speed: float) -> float:
    """Executions/s of the level that the speed of one candidate shows."""
    busy = speed * model.item.slot_s / candidate.slots
    law = model.law(candidate.workers)
    upper = TOLERANCE * law
    if busy >= FULL or (busy >= IDLE and speed < LITTLE_USED * law):
        return upper
    sharpness = model.sharpness
    return min(upper, speed * math.pow(1 - busy**sharpness, -1 / sharpness))
