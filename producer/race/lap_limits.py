"""Chooses the limits of each lap, from what earlier laps have shown of the task. Pure."""

import math
import sys
from dataclasses import replace

from poolrace.producer.analysis.race_model import CPU_LEFT
from poolrace.producer.race.lap_plan import LapPlan
from poolrace.producer.race.options import RaceOptions
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.race import Kind, Lap
from poolrace.workers.pools import CORES

WARM_UP = {"prefork": 64, "threads": 16, "gevent": 4, "solo": 1}
"""Number of items that warm up a worker of a pool: one per slot, and no more than this. Each child
of prefork imports, and each thread connects, on its own. A greenlet lives for one item only, and
items that block all greenlets would run one after the other."""

WINDOW_S: dict[Kind, float] = {"base": 0.7, "search": 0.7, "final": 1.0}
"""Seconds in which a lap sends items; extended if an item is so long that a slot would run one item
only. The machine's speed changes within seconds, so many short laps in turn compare candidates
better than a few long laps."""

LAP_WORK_S = 20.0
"""Seconds that the items of a lap take in total, at most: 200 items of 0.1 s."""

ITEMS_PER_SLOT = 3
"""Number of items per slot that a lap may run even if they take longer than ``LAP_WORK_S``."""

FEWEST_PER_SLOT: dict[Kind, float] = {"base": 2.0, "search": 1.5, "final": 1.75}
"""Number of costly items per slot that a lap runs, at least, where the CPU is the limit: some slots
are idle then, or the items in all of them progress at the same time."""

LASTING_ITEM_S = 0.3
"""Seconds of a costly item from which a lap lasts long enough with ``LASTING_PER_SLOT`` items."""

LASTING_PER_SLOT = 1.25
"""Number of lasting items per slot that a lap runs, at least, where no service is the limit."""

MANY = 256
"""Number of slots from which on a lap with more of them runs ``MANY_PER_SLOT`` lasting items."""

MANY_PER_SLOT = 1.05
"""The same number for many slots. Of items of 1 s in 512 slots, which take 0.6 s to be filled, 1.05
and 1.75 per slot show 370 and 407 items/s."""

BUSY_SHARE = 0.8
"""Share of the slots of the fastest lap that ran items as short as one alone, from which its slots
were the limit. Starting to fill the slots takes the rest of its time."""

BUSY_FACTOR = 1.5
"""Ratio of the slots that may be busy at a time in a lap to those that were in the fastest one."""

QUEUED = 2.0
"""Ratio of a candidate's slots to those that may be busy, above which the items of its slots queue
behind a service. Their throughput shows from the second of three items per slot on."""

COSTLY_ITEM_S = 0.05
"""Seconds from which an item counts as costly: laps then run no more items than the race asks for.
Of shorter items thousands run within seconds, and laps that last longer compare better."""

LONG_ITEM_S = 2.0
"""Seconds from which an item counts as long; a lap of long items runs one per slot. Of shorter
ones a lap runs more, so that the start and the end of the lap do not count."""

SLOW_SHARE = 0.2
"""Share of the best throughput so far, in proportion if that was with more slots; a lap of the
search with less than this ends early: its pool makes less of the slots. On a busy machine a
candidate as fast as another one reached 0.3 of its throughput a few seconds later; a blocked pool
reaches 1 / slots."""

GRACE_S = 5.0
"""Seconds beyond the time limit after which a lap without any finished item counts as lost."""

PATIENCE_SHARE = 0.2
"""Share of the time budget that a candidate may take without finishing an item, if slots and
items do not make it wait longer."""

MIN_PATIENCE_S = 5.0
"""Seconds without a finished item after which a candidate counts as hung, at least."""

PATIENCE_FACTOR = 3.0
"""Ratio of the time without a finished item, after which a candidate counts as hung, to the time
that its items would take if each core ran one item at a time, at least."""

ITEMS_PER_ROUND = 1009
"""Number of items by which the first item of a round is after that of the round before."""


class LapLimits:
    """Limits of the laps of a race, which ends at ``deadline`` of the monotonic clock."""

    def __init__(
        self, options: RaceOptions, prefetch: int, deadline: float, *, cut_short: bool
    ) -> None:
        """``prefetch`` is the app's multiplier; ``cut_short`` lets laps of slow candidates end
        early."""
        self._options = options
        self._prefetch = prefetch
        self._deadline = deadline
        self._cut_short = cut_short
        self._best_speeds: dict[int, float] = {}
        """Slots -> items/s of the fastest lap so far."""
        self._fastest: Lap | None = None
        """The fastest lap so far of a candidate with several slots."""
        self._shortest_s = 0.0
        """Duration of the shortest item so far in seconds, 0 before one has finished."""
        self._longest_s = 0.0
        """Duration of the longest item while one ran at a time, in seconds."""

    def lap(
        self,
        candidate: Candidate,
        kind: Kind,
        number: int,
        executions: int,
        items: int | None = None,
        *,
        most: int | None = None,
    ) -> LapPlan:
        """Plan of a lap with this number.

        ``executions`` is the number of executions of the task so far. The lap runs exactly
        ``items`` items, if that is given. Of costly items it runs ``most`` at most, if these show
        a throughput.
        """
        options, left = self._options, self._options.max_executions - executions
        min_items, window_s = options.min_items(candidate), options.window_s or WINDOW_S[kind]
        max_items, queued_items = left, 0
        if items or options.repeat_items:
            min_items = items or min_items
            max_items, window_s = min_items, 0.0
        elif not options.window_s:
            if self._shortest_s >= LONG_ITEM_S:
                min_items = candidate.slots
            elif self._is_enough_with_few(candidate):
                min_items = min(min_items, self._fewest_items(candidate, kind))
                queued_items = 0 if self._is_out_of_cpu else ITEMS_PER_SLOT * candidate.slots
            elif candidate.slots > QUEUED * self._busy_slots:
                min_items = ITEMS_PER_SLOT * candidate.slots
            useful = self._useful_items(candidate, kind)
            if most is not None and self._items_are_costly:
                useful = min(useful, most)
            max_items = min(left, max(min_items, useful))
        return replace(
            self._plan(candidate, kind, number, (min_items, max_items), window_s),
            queued_items=min(left, queued_items),
            most_bytes=sys.maxsize if kind == "base" else options.max_memory_bytes,
            slow_below=self._slow_below(candidate) if kind == "search" else 0.0,
        )

    def warm_up(self, candidate: Candidate) -> LapPlan | None:
        """Plan of the lap that warms up a candidate, ``None`` if long items need none."""
        if self.items_are_long:
            return None
        number = min(candidate.concurrency, WARM_UP[candidate.pool]) * candidate.workers
        return self._plan(candidate, "search", 0, (number, number), 0.0)

    @property
    def items_are_long(self) -> bool:
        """Whether items are so long that they hide what a cold worker costs."""
        return self._shortest_s > WINDOW_S["search"]

    def note_durations(self, candidate: Candidate, shortest_s: float, longest_s: float) -> None:
        """Note the shortest and the longest duration of the items of a lap of this candidate."""
        shortest_s = min(shortest_s, self._shortest_s or math.inf)
        self._shortest_s = 0.0 if shortest_s == math.inf else shortest_s
        if candidate.slots == 1:
            self._longest_s = max(self._longest_s, longest_s)

    def note_speed(self, lap: Lap) -> None:
        """Note the throughput of a measured lap."""
        slots = lap.candidate.slots
        self._best_speeds[slots] = max(self._best_speeds.get(slots, 0.0), lap.items_per_s)
        if slots > 1 and (not self._fastest or lap.items_per_s > self._fastest.items_per_s):
            self._fastest = lap

    def _plan(
        self,
        candidate: Candidate,
        kind: Kind,
        number: int,
        items: tuple[int, int],
        window_s: float,
    ) -> LapPlan:
        """A plan with the limits that hold for all laps of the candidate, besides those given."""
        return LapPlan(
            kind=kind,
            round=number,
            first=number * ITEMS_PER_ROUND,
            window_s=window_s,
            min_items=items[0],
            max_items=items[1],
            prefetch=self._prefetch if candidate.prefetch is None else candidate.prefetch,
            patience_s=self._patience_s(candidate),
            deadline=self._deadline,
            item_s=self._shortest_s,
            evenly=self._shortest_s >= LASTING_ITEM_S,
        )

    def _slow_below(self, candidate: Candidate) -> float:
        """Items/s below which a lap of the search ends early, 0 if none does."""
        if not self._cut_short:
            return 0.0
        speeds = [
            speed * min(1.0, candidate.slots / slots) for slots, speed in self._best_speeds.items()
        ]
        return SLOW_SHARE * max(speeds, default=0.0)

    def _useful_items(self, candidate: Candidate, kind: Kind) -> int:
        """Number of items that a lap needs for a throughput, at most."""
        if not self._shortest_s:
            return sys.maxsize
        per_slot = ITEMS_PER_SLOT * min(candidate.slots, self._busy_slots)
        if kind == "search" and self._items_are_costly:
            per_slot = 0  # the least number of items is enough to choose finalists
        return math.ceil(max(per_slot, LAP_WORK_S / self._shortest_s))

    @property
    def _items_are_costly(self) -> bool:
        """Whether items take so long that their number counts."""
        return self._shortest_s >= COSTLY_ITEM_S

    @property
    def _is_out_of_cpu(self) -> bool:
        """Whether the workers of the fastest lap so far were out of CPU: no service limited it."""
        lap = self._fastest
        if lap is None:
            return False
        main_s = (lap.main_cpu_s or 0.0) / lap.candidate.workers
        return max(main_s, lap.cpu_s / CORES) >= CPU_LEFT * lap.wall_s

    @property
    def _slots_were_busy(self) -> bool:
        """Whether the slots of the fastest lap so far were the limit: none of them was idle."""
        lap = self._fastest
        return lap is not None and (
            lap.items_per_s * self._shortest_s >= BUSY_SHARE * lap.candidate.slots
        )

    def _is_enough_with_few(self, candidate: Candidate) -> bool:
        """Whether few costly items show the throughput of a candidate, as no service is known.

        A lap in which items take longer than alone runs more of them.
        """
        lasting = self._shortest_s >= LASTING_ITEM_S
        queued = candidate.slots > QUEUED * self._busy_slots
        return self._items_are_costly and (
            self._is_out_of_cpu or self._slots_were_busy or (lasting and not queued)
        )

    def _fewest_items(self, candidate: Candidate, kind: Kind) -> int:
        """Number of costly items that a lap runs, at least, if no service is the limit."""
        per_slot = FEWEST_PER_SLOT[kind]
        if self._shortest_s >= LASTING_ITEM_S:
            per_slot = MANY_PER_SLOT if candidate.slots > MANY else LASTING_PER_SLOT
        return math.ceil(per_slot * candidate.slots)

    @property
    def _busy_slots(self) -> float:
        """Number of slots that may be busy at a time, infinite before a lap of several slots."""
        speeds = [speed for slots, speed in self._best_speeds.items() if slots > 1]
        return BUSY_FACTOR * self._shortest_s * max(speeds, default=math.inf)

    def _patience_s(self, candidate: Candidate) -> float:
        """Seconds without a finished item after which the candidate counts as hung."""
        budget_s = self._options.budget_s
        patience_s = budget_s / 2
        if self._longest_s:
            crowded_s = self._longest_s * (1 + candidate.slots / CORES)
            share_s = PATIENCE_SHARE * budget_s
            patience_s = max(MIN_PATIENCE_S, share_s, PATIENCE_FACTOR * crowded_s)
        return min(patience_s, self._options.time_limit_s + GRACE_S)
