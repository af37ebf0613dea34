"""Measures one stretch of one candidate: items in, reports out, figures. Prints nothing."""

import time
from dataclasses import dataclass, field

from poolrace.producer.analysis.rates import percentiles, steady_rate
from poolrace.producer.jobs.schedules import AHEAD_S
from poolrace.producer.race.publisher import Publisher
from poolrace.producer.race.worker_group import Report, WorkerGroup
from poolrace.producer.results.race import Kind, Lap
from poolrace.workers.usage import Usage, used_between

GRACE_S = 5.0
"""Seconds beyond the time limit after which nobody waits for an item any more."""

LEAST_AHEAD = 8

LOOK_S = 0.25
"""Seconds between two looks at memory and workers; a look at hundreds of processes takes tens
of milliseconds, so it also waits for fifty times as long as the last one took."""


@dataclass(frozen=True)
class LapPlan:
    """How much is measured."""

    kind: Kind
    round: int
    first: int
    """Number of the first item."""
    window_s: float
    """Items are sent for so long."""
    least: int
    """So many are sent in any case."""
    most: int
    time_limit_s: float
    prefetch: int
    """The prefetch multiplier that holds for the candidate."""


@dataclass
class _Track:
    """A lap that is under way."""

    crew: WorkerGroup
    mail: Publisher
    aim: LapPlan
    sent: int = 0
    under_way: dict[str, float] = field(default_factory=dict)
    """Id -> when it was sent."""
    reports: list[Report] = field(default_factory=list)
    waited_s: list[float] = field(default_factory=list)
    peak_bytes: int = 0
    lost: bool = False
    _moved: float = 0.0
    _look_at: float = 0.0

    def run(self) -> None:
        """Keep the workers supplied until the aim is met, and wait for what is under way."""
        self._moved = began = time.monotonic()
        while not self.lost:
            self._supply(began)
            if not self.under_way:
                break
            self._hear(self.crew.reports(self._look_at - time.monotonic()))
            if time.monotonic() >= self._look_at:
                self._look()
        self._look()

    def _supply(self, began: float) -> None:
        """Send what the workers may take ahead; the aim says when that is enough."""
        passed_s = time.monotonic() - began
        left = self.aim.most - self.sent
        if passed_s > self.aim.window_s:
            left = min(left, self.aim.least - self.sent)
        ahead = self._ahead(passed_s) - len(self.under_way)
        if (number := min(left, ahead)) > 0:
            now = time.monotonic()
            ids = self.mail.send(self.crew.queue, self.aim.first + self.sent, number)
            self.under_way.update(dict.fromkeys(ids, now))
            self.sent += number

    def _ahead(self, passed_s: float) -> int:
        speed = len(self.reports) / passed_s if passed_s > AHEAD_S else 0.0
        prefetch = self.aim.prefetch or 1  # 0 is no limit: whatever is there is taken
        held = self.crew.candidate.slots * (1 + prefetch)
        return max(LEAST_AHEAD, held, round(speed * AHEAD_S) + self.crew.candidate.slots)

    def _hear(self, told: list[Report]) -> None:
        ours = [it for it in told if it.task_id in self.under_way]
        for report in ours:
            self.waited_s.append(report.began - self.under_way.pop(report.task_id))
        self.reports += ours
        self.mail.forget([it.task_id for it in ours])
        if ours:
            self._moved = time.monotonic()

    def _look(self) -> None:
        """At the memory, and whether anybody is still at work."""
        began = time.monotonic()
        self.peak_bytes = max(self.peak_bytes, self.crew.memory_bytes())
        took_s = time.monotonic() - began
        self._look_at = began + max(LOOK_S, 50 * took_s)
        still_s = began - self._moved
        self.lost = self.crew.ended or still_s > self.aim.time_limit_s + GRACE_S

    def failures(self) -> dict[str, int]:
        """By the name of the exception; of what hangs, or died, as many as there are slots."""
        found: dict[str, int] = {}
        for report in self.reports:
            if report.failure:
                found[report.failure] = found.get(report.failure, 0) + 1
        if self.lost:
            name = "WorkerLostError" if self.crew.ended else "TimeLimitExceeded"
            found[name] = min(len(self.under_way), self.crew.candidate.slots)
        return found


def make_lap(crew: WorkerGroup, mail: Publisher, aim: LapPlan) -> Lap:
    """Measure."""
    track = _Track(crew, mail, aim)
    before = crew.usage()
    track.run()
    return _lap(track, used_between(before, crew.usage()))


def _lap(track: _Track, used: Usage) -> Lap:
    ran = [it for it in track.reports if it.ended > it.began]
    well = [it for it in ran if it.failure is None]
    first = min((it.began for it in ran), default=0.0)
    running = [it.ended - it.began for it in ran]
    return Lap(
        candidate=track.crew.candidate,
        kind=track.aim.kind,
        round=track.aim.round,
        items=len(well),
        failures=track.failures(),
        items_per_s=steady_rate(
            [(it.began, it.ended) for it in well], begins=[it.began for it in ran]
        ),
        wall_s=max((it.ended for it in ran), default=0.0) - first,
        waiting_s=percentiles(track.waited_s),
        running_s=percentiles(running),
        running_total_s=sum(running),
        own_cpu_s=sum(it.own_cpu_s for it in ran),
        core_wait_s=sum(it.core_wait_s for it in ran),
        cpu_s=used.cpu_s,
        peak_memory_bytes=track.peak_bytes,
        voluntary_switches=used.voluntary_switches,
        involuntary_switches=used.involuntary_switches,
        lost=track.lost,
        traceback=next((it.traceback for it in track.reports if it.failure), ""),
    )
