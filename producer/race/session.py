"""Runs the laps of a race: starts and stops workers, and counts laps and executions."""

import logging
import math
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from poolrace.producer.race.app_info import AppInfo
from poolrace.producer.race.app_process import last_line
from poolrace.producer.race.background_load import MACHINE_CORES, CpuSnapshot
from poolrace.producer.race.items import Item
from poolrace.producer.race.lap import LapPlan, RunningLap
from poolrace.producer.race.no_verdict import ENDED, FAILED
from poolrace.producer.race.options import RaceOptions
from poolrace.producer.race.publisher import Publisher
from poolrace.producer.race.requests import GivenUp
from poolrace.producer.race.sandbox import Sandbox
from poolrace.producer.race.worker_group import READY_S, WorkerGroup
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.race import Kind, Lap
from poolrace.workers.errors import ClusterError
from poolrace.workers.pools import CORES

MAX_WARM_UP = 64
"""Number of items that warm up a candidate: one per slot, and no more than this."""

WINDOW_S: dict[Kind, float] = {"base": 0.7, "search": 0.7, "final": 1.0}
"""Seconds in which a lap sends items; extended if an item is so long that a slot would run one item
only. The machine's speed changes within seconds, so many short laps in turn compare candidates
better than a few long laps."""

READY_SHARE = 1 / 3
"""Share of the time budget that the start of workers may take."""

MIN_READY_S = 10.0
"""Seconds that the start of workers may take, at least; on a busy machine it takes 2 to 8."""

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

logger = logging.getLogger(__name__)


class RaceSession:
    """Workers and laps of a race. As a context manager it stops all workers at its end."""

    def __init__(
        self, options: RaceOptions, sandbox: Sandbox, app: AppInfo, began: float | None = None
    ) -> None:
        self.laps: list[Lap] = []
        self.failures: dict[Candidate, str] = {}
        """Candidates whose workers failed, and why, in the workers' own words."""
        self.sent: set[str] = set()
        """Names of the tasks that the task sent; they are not run."""
        self.executions = 0
        self.cores_left = float(MACHINE_CORES)
        """CPU cores that other processes left free while the base was measured, at least."""
        self._began = time.monotonic() if began is None else began
        self._deadline = self._began + options.budget_s
        self._options = options
        self._sandbox = sandbox
        self._app = app
        self._publisher = Publisher(sandbox, options.target.task, app.serializer, options.items)
        self._groups: dict[Candidate, WorkerGroup] = {}
        self._rounds: dict[tuple[Candidate, Kind], int] = {}
        self._tracebacks: dict[Candidate, str] = {}
        self._shortest_s = 0.0
        """Duration of the shortest item so far in seconds, 0 before one has finished."""
        self._longest_s = 0.0
        """Duration of the longest item while one ran at a time, in seconds."""

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
        for candidate in new:  # all start at once
            self._attempt(WorkerGroup.start, candidate)
        for candidate in new:
            if candidate in self._groups:
                self._attempt(self._wait_until_ready, candidate)
        for candidate in new:
            if candidate in self._groups and self._shortest_s <= WINDOW_S["search"]:
                self._warm_up(candidate)  # a long item hides what a cold worker costs
        return [candidate for candidate in candidates if candidate in self._groups]

    def measure(self, candidate: Candidate, kind: Kind) -> Lap:
        """Measure one lap of a candidate whose workers run, and keep it."""
        number = self._rounds[candidate, kind] = self._rounds.get((candidate, kind), 0) + 1
        min_items = self._options.min_items(candidate)
        window_s = self._options.window_s or WINDOW_S[kind]
        max_items = self._options.max_executions - self.executions
        if self._options.repeat_items:
            max_items, window_s = min_items, 0.0
        plan = self._plan(
            candidate,
            kind=kind,
            round=number,
            first=number * ITEMS_PER_ROUND,
            window_s=window_s,
            min_items=min_items,
            max_items=max_items,
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
            self._drop(candidate, str(error))

    def _wait_until_ready(self, group: WorkerGroup) -> None:
        """Wait until the workers are ready; raises ``GivenUp`` when the budget is used up."""
        timeout_s = min(READY_S, max(MIN_READY_S, READY_SHARE * self._options.budget_s))
        try:
            group.wait_until_ready(min(timeout_s, self._deadline - time.monotonic()))
        except ClusterError:
            if time.monotonic() >= self._deadline and not group.ended:
                raise GivenUp from None
            raise

    def _warm_up(self, candidate: Candidate) -> None:
        number = 1 if candidate.slots == 1 else min(candidate.slots, MAX_WARM_UP)
        plan = self._plan(
            candidate,
            kind="search",
            round=0,
            first=0,
            window_s=0.0,
            min_items=number,
            max_items=number,
        )
        self._run(candidate, plan)

    def _plan(self, candidate: Candidate, **limits: Any) -> LapPlan:
        """A plan with these limits, and with those that hold for all laps of the candidate."""
        prefetch = self._app.prefetch if candidate.prefetch is None else candidate.prefetch
        return LapPlan(
            **limits,
            prefetch=prefetch,
            patience_s=self._patience_s(candidate),
            deadline=self._deadline,
            item_s=self._shortest_s,
        )

    def _patience_s(self, candidate: Candidate) -> float:
        """Seconds without a finished item after which the candidate counts as hung."""
        budget_s = self._options.budget_s
        patience_s = budget_s / 2
        if self._longest_s:
            crowded_s = self._longest_s * (1 + candidate.slots / CORES)
            share_s = PATIENCE_SHARE * budget_s
            patience_s = max(MIN_PATIENCE_S, share_s, PATIENCE_FACTOR * crowded_s)
        return min(patience_s, self._options.time_limit_s + GRACE_S)

    def _run_observed(self, candidate: Candidate, plan: LapPlan) -> Lap:
        """Run a lap and measure the background load meanwhile."""
        before = CpuSnapshot.now()
        lap = self._run(candidate, plan)
        self.cores_left = min(self.cores_left, CpuSnapshot.now().cores_left(before))
        return lap

    def _run(self, candidate: Candidate, plan: LapPlan) -> Lap:
        group = self._groups[candidate]
        running = RunningLap(group, self._publisher, plan)
        try:
            lap = running.measure()
        finally:
            self.executions += running.executions
            self.sent |= group.sent
        self._note_durations(candidate, running)
        if lap.traceback:
            self._tracebacks.setdefault(candidate, lap.traceback)
        if lap.lost:
            reason = _reason_of_loss(group, plan, self._tracebacks.get(candidate))
            self._drop(candidate, f"{candidate} {reason}")
        return lap

    def _note_durations(self, candidate: Candidate, running: RunningLap) -> None:
        self._shortest_s = min(running.shortest_s, self._shortest_s or math.inf)
        if self._shortest_s == math.inf:
            self._shortest_s = 0.0
        if candidate.slots == 1:
            self._longest_s = max(self._longest_s, running.longest_s)

    def _drop(self, candidate: Candidate, reason: str) -> None:
        """Stop a candidate whose workers failed, and keep the reason."""
        self.failures.setdefault(candidate, reason)
        logger.warning("%s", reason)
        self.stop([candidate])


def _reason_of_loss(group: WorkerGroup, plan: LapPlan, traceback: str | None) -> str:
    """Reason why a lap was lost, in the words of the task or the worker.

    ``traceback`` is that of the candidate's first failure.
    """
    if traceback:
        return f"{FAILED} {last_line(traceback)}"
    if group.ended:
        return f"{ENDED} {group.last_error()}"
    waits_for = f"; it sent {', '.join(sorted(group.sent))}, which a race does not run"
    return f"hung: no item finished within {plan.patience_s:.3g} s{waits_for if group.sent else ''}"
