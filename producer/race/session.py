"""Runs the laps of a race: starts and stops workers, and counts laps and executions."""

import logging
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from poolrace.producer.race.app_info import AppInfo
from poolrace.producer.race.background_load import MACHINE_CORES, CpuSnapshot
from poolrace.producer.race.items import Item
from poolrace.producer.race.lap import LapPlan, measure_lap
from poolrace.producer.race.options import RaceOptions
from poolrace.producer.race.publisher import Publisher
from poolrace.producer.race.sandbox import Sandbox
from poolrace.producer.race.worker_group import WorkerGroup
from poolrace.producer.results.candidate import SOLO, Candidate
from poolrace.producer.results.race import Kind, Lap
from poolrace.workers.errors import ClusterError

MAX_WARM_UP = 64
"""Number of items that warm up a candidate: one per slot, and no more than this."""

WINDOW_S: dict[Kind, float] = {"base": 0.7, "search": 0.7, "final": 1.0}
"""Seconds in which a lap sends items; extended if items are so long that a slot would run only one.
The machine's speed changes within seconds, so many short laps in turn compare candidates better
than a few long laps."""

ITEMS_PER_ROUND = 1009
"""Number of items by which the first item of a round is after that of the round before."""

logger = logging.getLogger(__name__)


class RaceSession:
    """Workers and laps of a race. As a context manager it stops all workers at its end."""

    def __init__(self, options: RaceOptions, sandbox: Sandbox, app: AppInfo) -> None:
        self.laps: list[Lap] = []
        self.executions = 0
        self.cores_left = float(MACHINE_CORES)
        """CPU cores that other processes left free while the base was measured, at least."""
        self._began = time.monotonic()
        self._options = options
        self._sandbox = sandbox
        self._app = app
        self._publisher = Publisher(sandbox, options.target.task, app.serializer, options.items)
        self._groups: dict[Candidate, WorkerGroup] = {}
        self._rounds: dict[tuple[Candidate, Kind], int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop(list(self._groups))

    @property
    def elapsed_s(self) -> float:
        """Seconds since the session began."""
        return time.monotonic() - self._began

    def use_items(self, items: Sequence[Item]) -> None:
        """Send other items in the next laps."""
        self._publisher.use_items(items)

    def start(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Start and warm up workers of these candidates; returns those whose workers are ready."""
        new = [candidate for candidate in candidates if candidate not in self._groups]
        for candidate in new:
            self._groups[candidate] = WorkerGroup(
                self._options.target, self._sandbox, candidate, self._options.time_limit_s
            )
        for step in (WorkerGroup.start, WorkerGroup.wait_until_ready):  # all start at once
            for candidate in new:
                if candidate in self._groups:
                    self._attempt(step, candidate)
        for candidate in new:
            if candidate in self._groups:
                self._warm_up(candidate)
        return [candidate for candidate in candidates if candidate in self._groups]

    def measure(self, candidate: Candidate, kind: Kind) -> Lap:
        """Measure one lap of a candidate whose workers run, and keep it."""
        number = self._rounds[candidate, kind] = self._rounds.get((candidate, kind), 0) + 1
        min_items, window_s = self._options.min_items(candidate), WINDOW_S[kind]
        max_items = self._options.max_executions - self.executions
        if self._options.repeat_items:
            max_items, window_s = min_items, 0.0
        plan = LapPlan(
            kind=kind,
            round=number,
            first=number * ITEMS_PER_ROUND,
            window_s=window_s,
            min_items=min_items,
            max_items=max_items,
            time_limit_s=self._options.time_limit_s,
            prefetch=self._prefetch(candidate),
        )
        lap = self._run_observed(candidate, plan) if kind == "base" else self._run(candidate, plan)
        self.laps.append(lap)
        logger.info("%s: %.4g items/s (%s %d)", candidate, lap.items_per_s, kind, number)
        return lap

    def stop(self, candidates: Sequence[Candidate]) -> None:
        """Stop the workers of these candidates, all at once."""
        groups = [
            self._groups.pop(candidate) for candidate in candidates if candidate in self._groups
        ]
        for group in groups:
            group.request_stop()
        for group in groups:
            group.stop()

    def _attempt(self, step: Callable[[WorkerGroup], None], candidate: Candidate) -> None:
        """Take a step to start a candidate's workers; stop them if it fails."""
        try:
            step(self._groups[candidate])
        except ClusterError as error:
            logger.warning("%s is left out: %s", candidate, error)
            self.stop([candidate])

    def _warm_up(self, candidate: Candidate) -> None:
        number = 1 if candidate == SOLO else min(candidate.slots, MAX_WARM_UP)
        plan = LapPlan(
            kind="search",
            round=0,
            first=0,
            window_s=0.0,
            min_items=number,
            max_items=number,
            time_limit_s=self._options.time_limit_s,
            prefetch=self._prefetch(candidate),
        )
        self._run(candidate, plan)

    def _run_observed(self, candidate: Candidate, plan: LapPlan) -> Lap:
        """Run a lap and measure the background load meanwhile."""
        before = CpuSnapshot.now()
        lap = self._run(candidate, plan)
        self.cores_left = min(self.cores_left, CpuSnapshot.now().cores_left(before))
        return lap

    def _run(self, candidate: Candidate, plan: LapPlan) -> Lap:
        lap = measure_lap(self._groups[candidate], self._publisher, plan)
        self.executions += lap.executions
        if lap.lost:
            reason = ", ".join(lap.failures) or "its worker ended"
            logger.warning("%s is left out: %s", candidate, reason)
            self.stop([candidate])
        return lap

    def _prefetch(self, candidate: Candidate) -> int:
        """The prefetch multiplier of the candidate: its own, or the app's."""
        return self._app.prefetch if candidate.prefetch is None else candidate.prefetch
