"""Measures one lap: sends items to the workers of a candidate and computes its figures."""

import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from poolrace.producer.analysis.race_model import CPU_LEFT
from poolrace.producer.analysis.stats import most_at_a_time, percentiles, quantiles, steady_rate
from poolrace.producer.jobs.message_costs import AHEAD_S
from poolrace.producer.race.lap_plan import LapPlan
from poolrace.producer.race.publisher import Publisher
from poolrace.producer.race.requests import GivenUp
from poolrace.producer.race.worker_group import ItemTiming, WorkerGroup
from poolrace.producer.results.fields import QUANTILES
from poolrace.producer.results.race import Lap
from poolrace.workers.usage import Usage, Usages, latest, used_between

MIN_LEAD = 8
"""Number of items kept in flight beyond one per slot, at least: before the throughput is known."""

SLOW_AFTER_S = 1.0
"""Seconds after which a lap may end early, because its candidate is slow."""

SLOW_ITEMS = 3
"""Number of finished items after which a lap may end early, and ratio of its time to that of its
longest item: by then each slot of a candidate that works has finished an item at least."""

QUEUED_FACTOR = 1.3
"""Ratio of the mean duration of a lap's items to that of one alone, from which they wait for each
other: behind a service, say."""

CHECK_S = 0.25
"""Seconds between two checks of memory and workers. A check of hundreds of processes takes tens
of milliseconds, so the interval is also ``CHECK_FACTOR`` times the duration of the last check, at
least."""

CHECK_FACTOR = 50
"""Ratio of the time between two checks to the duration of a check, at least."""


@dataclass
class RunningLap:
    """A lap in progress: one lap of the candidate whose workers are ``group``."""

    group: WorkerGroup
    publisher: Publisher
    plan: LapPlan
    sent: int = 0
    in_flight: dict[str, float] = field(default_factory=dict)
    """Task id -> time at which the item was sent."""
    timings: list[ItemTiming] = field(default_factory=list)
    waited_s: list[float] = field(default_factory=list)
    peak_bytes: int = 0
    lost: bool = False
    cut_short: bool = False
    """Whether the lap ended early: it had shown that the candidate is slow, or too large."""
    _usage: Usages = field(default_factory=dict)
    """Usage by worker at the last check."""
    _main_usage: Usages = field(default_factory=dict)
    """Usage by main process at the last check."""
    shortest_s: float = math.inf
    """Duration of the shortest item, infinite before one has ended."""
    longest_s: float = 0.0
    """Duration of the longest item."""
    _main_before: Usages = field(default_factory=dict)
    """Usage by main process at the start of the lap."""
    _out_of_cpu: bool = False
    """Whether the main processes were out of CPU at the last check."""
    _began: float = 0.0
    _last_finished: float = 0.0
    _next_check: float = 0.0

    def measure(self) -> Lap:
        """Send the items of the plan, and wait until none is in flight.

        A lap that ends early leaves items in flight; the workers must then be stopped. Raises
        ``GivenUp`` at the deadline of the plan.
        """
        before, main_before = self.group.usage(), self.group.main_usage()
        self._usage, self._main_usage, self._main_before = before, main_before, main_before
        self._run()
        used = used_between(before, latest(self._usage, self.group.usage()))
        main = used_between(main_before, latest(self._main_usage, self.group.main_usage()))
        return _figures(self, used, main)

    def _run(self) -> None:
        self.shortest_s = self.plan.item_s or math.inf
        self._last_finished = self._began = began = time.monotonic()
        while not self.lost and not self.cut_short:
            if time.monotonic() >= self.plan.deadline:
                raise GivenUp
            self._supply(began)
            if not self.in_flight:
                break
            until = min(self._next_check, self.plan.deadline)
            self._receive(self.group.read_timings(until - time.monotonic()))
            if time.monotonic() >= self._next_check:
                self._check()
            too_large = self.peak_bytes > self.plan.most_bytes
            self.cut_short = too_large or self._is_slow(time.monotonic() - began)
        self._receive(self.group.read_timings(0.0))  # the last lines of workers that ended
        self._check()

    def _supply(self, began: float) -> None:
        """Send items until enough are in flight, within the limits of the plan."""
        elapsed_s = time.monotonic() - began
        remaining = max(self.plan.max_items, self._least_items()) - self.sent
        if elapsed_s > self.plan.window_s:
            remaining = min(remaining, self._least_items() - self.sent)
        else:
            remaining = min(remaining, self._useful_items() - self.sent)
        number = min(remaining, self._ahead(elapsed_s) - len(self.in_flight))
        if number > 0:
            self._send(number)

    def _send(self, number: int) -> None:
        """Send items; the workers get them in turn, if the plan wants that."""
        evenly = self.plan.evenly and self.group.candidate.workers > 1
        queues = self.group.own_queues if evenly else [self.group.queue]
        first = self.sent
        for offset in range(len(queues)):
            queue = queues[(first + offset) % len(queues)]
            share = len(range(offset, number, len(queues)))
            now = time.monotonic()
            ids = self.publisher.send(queue, self.plan.first + self.sent, share)
            self.in_flight.update(dict.fromkeys(ids, now))
            self.sent += share

    def _useful_items(self) -> int:
        """Number of items that can begin within the window, at most.

        More than that are not sent: the lap of a long item would last until all of them ended.
        Before an item has ended, only the least number is sent.
        """
        rounds = math.ceil(self.plan.window_s / max(self.shortest_s, 1e-9))
        return max(self._least_items(), rounds * self.group.candidate.slots)

    def _least_items(self) -> int:
        """Number of items that are sent even if the window is over.

        The throughput of a service, behind which items queue, shows in more of them.
        """
        if not self.plan.queued_items or self._out_of_cpu:
            return self.plan.min_items
        finished_s = sum(timing.ended - timing.began for timing in self.timings)
        queue = finished_s > QUEUED_FACTOR * len(self.timings) * self.plan.item_s
        return max(self.plan.min_items, self.plan.queued_items if queue else 0)

    def _ahead(self, elapsed_s: float) -> int:
        """Number of items to keep in flight, so that the workers never wait for the producer.

        A lap ends when the last of them has, so they are few: one per slot, and those that finish
        within ``AHEAD_S``. Several workers get as many as they prefetch: one that took more than
        its share would leave slots of another idle (with two workers of 16 threads and items of
        0.5 s, throughput was 16 % lower).
        """
        speed = len(self.timings) / elapsed_s if elapsed_s > AHEAD_S else 0.0
        candidate = self.group.candidate
        ahead = candidate.slots + max(MIN_LEAD, round(speed * AHEAD_S))
        if candidate.workers == 1:
            return ahead
        prefetch = self.plan.prefetch or 1  # 0 means no limit: the worker takes the whole queue
        return max(ahead, candidate.slots * (1 + prefetch))

    def _is_slow(self, elapsed_s: float) -> bool:
        """Whether the lap has shown that its candidate is slower than the plan asks for.

        When most slots are idle, since the last items of the lap run, the throughput shows nothing.
        """
        finished = len(self.timings)
        return (
            finished >= SLOW_ITEMS
            and len(self.in_flight) > self.group.candidate.slots / 2
            and elapsed_s >= max(SLOW_AFTER_S, SLOW_ITEMS * self.longest_s)
            and finished < self.plan.slow_below * elapsed_s
        )

    def _receive(self, timings: Sequence[ItemTiming]) -> None:
        """Count the items of this lap; items of an earlier lap are ignored.

        An item whose process ended is reported twice: by the process, with the exception that
        ended it, and by the parent that noticed the end. The first report counts.
        """
        own = []
        for timing in timings:
            sent_at = self.in_flight.pop(timing.task_id, None)
            if sent_at is not None:
                self.waited_s.append(timing.began - sent_at)
                own.append(timing)
        self.timings += own
        durations_s = [timing.ended - timing.began for timing in own if timing.ended > timing.began]
        self.shortest_s = min((self.shortest_s, *durations_s))
        self.longest_s = max((self.longest_s, *durations_s))
        self.publisher.delete_results([timing.task_id for timing in own])
        if own:
            self._last_finished = time.monotonic()

    def _check(self) -> None:
        """Measure memory and usage, and find out whether the workers ended or hang.

        The usage of the last check counts for workers that have ended meanwhile.
        """
        began = time.monotonic()
        self.peak_bytes = max(self.peak_bytes, self.group.memory_bytes())
        self._usage = latest(self._usage, self.group.usage())
        self._main_usage = latest(self._main_usage, self.group.main_usage())
        took_s = time.monotonic() - began
        self._next_check = began + max(CHECK_S, CHECK_FACTOR * took_s)
        main_s = used_between(self._main_before, self._main_usage).cpu_s
        usable_s = (began - self._began) * self.group.candidate.workers
        self._out_of_cpu = main_s >= CPU_LEFT * usable_s
        idle_s = began - self._last_finished
        self.lost = self.group.ended or idle_s > self.plan.patience_s

    @property
    def executions(self) -> int:
        """Number of items that ran so far; of unfinished ones, at most one per slot."""
        return len(self.timings) + self._begun_items

    @property
    def _begun_items(self) -> int:
        return min(len(self.in_flight), self.group.candidate.slots)

    def failures(self) -> dict[str, int]:
        """Failed items by the name of the exception.

        Items that hung, or were lost with their worker, count at most once per slot.
        """
        failures = Counter(timing.failure for timing in self.timings if timing.failure)
        if self.lost:
            name = "WorkerLostError" if self.group.ended else "TimeLimitExceeded"
            failures[name] += self._begun_items
        return {kind: number for kind, number in failures.items() if number}


def _figures(running: RunningLap, used: Usage, main: Usage) -> Lap:
    """The lap with its figures, from the timings of all items and the usage of the workers.

    ``main`` is the usage of the main processes alone.
    """
    timings = [timing for timing in running.timings if timing.ended > timing.began]
    succeeded = [timing for timing in timings if timing.failure is None]
    first = min((timing.began for timing in timings), default=0.0)
    wall_s = max((timing.ended for timing in timings), default=0.0) - first
    slots = running.group.candidate.slots
    one_wave = 0 < len(timings) <= slots  # none began after another
    durations = [timing.ended - timing.began for timing in timings]
    return Lap(
        candidate=running.group.candidate,
        kind=running.plan.kind,
        round=running.plan.round,
        items=len(succeeded),
        failures=running.failures(),
        items_per_s=len(succeeded) / wall_s
        if one_wave
        else steady_rate(
            [(timing.began, timing.ended) for timing in succeeded],
            begins=[timing.began for timing in timings],
            slots=slots,
            idle=most_at_a_time([(timing.began, timing.ended) for timing in timings]) < slots,
        ),
        wall_s=wall_s,
        waiting_s=percentiles(running.waited_s),
        running_s=percentiles(durations),
        running_total_s=sum(durations),
        own_cpu_s=sum(timing.own_cpu_s for timing in timings),
        core_wait_s=sum(timing.core_wait_s for timing in timings),
        cpu_s=used.cpu_s,
        peak_memory_bytes=running.peak_bytes,
        voluntary_switches=used.voluntary_switches,
        involuntary_switches=used.involuntary_switches,
        main_cpu_s=main.cpu_s,
        cut_short=running.cut_short,
        lost=running.lost,
        traceback=next((timing.traceback for timing in running.timings if timing.failure), ""),
        waiting_quantiles_s=quantiles(running.waited_s, QUANTILES) or None,
        running_quantiles_s=quantiles(durations, QUANTILES) or None,
    )
