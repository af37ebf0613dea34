"""Makes the laps of a race, within its limits: time, executions. Keeps crews and books."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from poolrace.producer.race.app_info import App
from poolrace.producer.race.app_process import Target
from poolrace.producer.race.background_load import MACHINE, Moment
from poolrace.producer.race.items import Item
from poolrace.producer.race.lap import LapPlan, make_lap
from poolrace.producer.race.options import Variants
from poolrace.producer.race.publisher import Publisher
from poolrace.producer.race.sandbox import Sandbox
from poolrace.producer.race.worker_group import WorkerGroup
from poolrace.producer.results.candidate import SOLO, Candidate
from poolrace.producer.results.race import Kind, Lap
from poolrace.workers.errors import ClusterError

WARM_UP = 64
"""Items sent before the first lap, one a slot, at most so many."""

WINDOW_S: dict[Kind, float] = {"base": 0.7, "search": 0.7, "final": 1.0}
"""Seconds of a lap; longer where a slot would not come to its second item. The machine's speed
changes within seconds, so many short laps in turn tell more than a few long ones."""

SHIFT = 1009
"""Each round begins so many items further on, for all candidates alike."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RaceOptions:
    """What is to be raced, and within which limits."""

    target: Target
    items: Sequence[Item]
    pools: Sequence[str] = ()
    """As typed: ``gevent``, whose concurrency is searched, or ``gevent:100``."""
    variants: Variants = field(default_factory=Variants)
    broker: str | None = None
    budget_s: float = 120.0
    time_limit_s: float = 60.0
    max_memory_bytes: int = 2**40
    max_executions: int = 50_000
    repeat_items: int | None = None
    """Each lap has all items so many times, ``None``: as many as measuring needs."""


class RaceSession:
    """Where laps are made. Ends every worker when the context is left."""

    def __init__(self, wish: RaceOptions, place: Sandbox, app: App) -> None:
        self.laps: list[Lap] = []
        self.executions = 0
        self.cores_left = float(MACHINE)
        """How many cores others left, at least, while the base was measured."""
        self.began = time.monotonic()
        self._wish = wish
        self._place = place
        self._app = app
        self._mail = Publisher(place, wish.target.task, app.serializer, wish.items)
        self._crews: dict[Candidate, WorkerGroup] = {}
        self._rounds: dict[tuple[Candidate, Kind], int] = {}

    @contextmanager
    def open(self) -> Iterator["RaceSession"]:
        """For as long as there may be workers."""
        try:
            yield self
        finally:
            self.dismiss(*self._crews)

    def left_s(self, part: float = 1.0) -> float:
        """Seconds that are left of this part of the budget."""
        return self.began + part * self._wish.budget_s - time.monotonic()

    def send(self, items: Sequence[Item]) -> None:
        """Have the next laps be of other items."""
        self._mail.carry(items)

    def has_room(self, candidate: Candidate) -> bool:
        """Whether another lap stays within the number of executions."""
        needed = self._least(candidate) + (candidate.slots if candidate not in self._crews else 0)
        return self.executions + needed <= self._wish.max_executions

    def enlist(self, *candidates: Candidate) -> list[Candidate]:
        """Have workers of these ready and warm; returns for whom that succeeded."""
        fresh = [it for it in candidates if it not in self._crews]
        for candidate in fresh:
            crew = WorkerGroup(self._wish.target, self._place, candidate, self._wish.time_limit_s)
            self._crews[candidate] = crew
        for step in (WorkerGroup.start, WorkerGroup.wait):  # all of them start at once
            for candidate in fresh:
                if candidate in self._crews:
                    self._take(step, candidate)
        for candidate in fresh:
            if candidate in self._crews:
                self._warm_up(candidate)
        return [it for it in candidates if it in self._crews]

    def lap(self, candidate: Candidate, kind: Kind) -> Lap:
        """Measure the candidate once, and enter it into the books."""
        number = self._rounds[candidate, kind] = self._rounds.get((candidate, kind), 0) + 1
        least, window_s = self._least(candidate), WINDOW_S[kind]
        most = self._wish.max_executions - self.executions
        if self._wish.repeat_items:
            most, window_s = least, 0.0
        limits = self._limits(self._crews[candidate])
        aim = LapPlan(kind, number, number * SHIFT, window_s, least, most, *limits)
        lap = self._watched(candidate, aim) if kind == "base" else self._make(candidate, aim)
        self.laps.append(lap)
        logger.info("%s: %.4g items/s (%s %d)", candidate, lap.items_per_s, kind, number)
        return lap

    def dismiss(self, *candidates: Candidate) -> None:
        """End the workers of these."""
        crews = [self._crews.pop(it) for it in candidates if it in self._crews]
        for crew in crews:
            crew.let_go()
        for crew in crews:
            crew.stop()

    def _take(self, step: Callable[[WorkerGroup], None], candidate: Candidate) -> None:
        """A step on the way to a crew that is ready; who fails is dismissed."""
        try:
            step(self._crews[candidate])
        except ClusterError as error:
            logger.warning("%s is left out: %s", candidate, error)
            self.dismiss(candidate)

    def _warm_up(self, candidate: Candidate) -> None:
        number = 1 if candidate == SOLO else min(candidate.slots, WARM_UP)
        limits = self._limits(self._crews[candidate])
        self._make(candidate, LapPlan("search", 0, 0, 0.0, number, number, *limits))

    def _watched(self, candidate: Candidate, aim: LapPlan) -> Lap:
        """A lap during which is counted what others leave."""
        before = Moment.now()
        lap = self._make(candidate, aim)
        self.cores_left = min(self.cores_left, Moment.now().cores_left(before))
        return lap

    def _make(self, candidate: Candidate, aim: LapPlan) -> Lap:
        lap = make_lap(self._crews[candidate], self._mail, aim)
        self.executions += lap.executions
        if lap.lost:
            logger.warning(
                "%s is out: %s", candidate, ", ".join(lap.failures) or "its worker ended"
            )
            self.dismiss(candidate)
        return lap

    def _least(self, candidate: Candidate) -> int:
        if self._wish.repeat_items:
            return self._wish.repeat_items * len(self._wish.items)
        return 2 * candidate.slots + (candidate != SOLO)

    def _limits(self, crew: WorkerGroup) -> tuple[float, int]:
        prefetch = crew.candidate.prefetch
        return self._wish.time_limit_s, self._app.prefetch if prefetch is None else prefetch
