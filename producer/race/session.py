"""Runs the laps of a race: starts and stops workers, and counts laps and executions."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

from poolrace.producer.race.app_info import AppInfo
from poolrace.producer.race.app_process import last_line
from poolrace.producer.race.background_load import BackgroundLoad
from poolrace.producer.race.items import Item
from poolrace.producer.race.lap import RunningLap
from poolrace.producer.race.lap_limits import LapLimits
from poolrace.producer.race.lap_plan import LapPlan
from poolrace.producer.race.no_verdict import ENDED, FAILED, NOT_RUN
from poolrace.producer.race.options import RaceOptions
from poolrace.producer.race.publisher import Publisher
from poolrace.producer.race.requests import GivenUp
from poolrace.producer.race.sandbox import Sandbox
from poolrace.producer.race.worker_group import READY_S, WorkerGroup
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.race import Kind, Lap
from poolrace.workers.errors import ClusterError

READY_SHARE = 1 / 3
"""Share of the time budget that the start of workers may take."""

MIN_READY_S = 10.0
"""Seconds that the start of workers may take, at least; on a busy machine it takes 2 to 8."""

logger = logging.getLogger(__name__)


class RaceSession:
    """Workers and laps of a race. As a context manager it stops all workers at its end."""

    def __init__(
        self,
        options: RaceOptions,
        sandbox: Sandbox,
        app: AppInfo,
        began: float | None = None,
        *,
        cut_short: bool = False,
    ) -> None:
        """``cut_short`` ends laps of the search early whose candidates are far from the fastest."""
        self.laps: list[Lap] = []
        self.failures: dict[Candidate, str] = {}
        """Candidates whose workers or most items failed, and why, in their own words."""
        self.sent: set[str] = set()
        """Names of the tasks that the task sent; they are not run."""
        self.retried = False
        """Whether the task asked to be retried; the item failed instead."""
        self.executions = 0
        self._began = time.monotonic() if began is None else began
        self._deadline = self._began + options.budget_s
        self._options = options
        self._sandbox = sandbox
        self._app = app
        self._publisher = Publisher(sandbox, options.target.task, app.serializer, options.items)
        self._groups: dict[Candidate, WorkerGroup] = {}
        self._rounds: dict[tuple[Candidate, Kind], int] = {}
        self._first_laps: dict[Candidate, Lap] = {}
        """Laps of long items that were run to warm up, and are not yet measured laps."""
        self._tracebacks: dict[Candidate, str] = {}
        self._limits = LapLimits(options, app.prefetch, self._deadline, cut_short=cut_short)
        self._load = BackgroundLoad()

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

    @property
    def cores_left(self) -> float:
        """CPU cores that other processes left free during the laps, at least."""
        return self._load.cores_left

    def use_items(self, items: Sequence[Item]) -> None:
        """Send other items in the next laps."""
        self._publisher.use_items(items)
        self._first_laps.clear()

    def start(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Start and warm up workers of these candidates; returns those whose workers are ready."""
        new = [candidate for candidate in candidates if candidate not in self._groups]
        for candidate in new:
            self._groups[candidate] = WorkerGroup(
                self._options.target, self._sandbox, candidate, self._options.time_limit_s
            )
        for candidate in new:  # all start at once
            if time.monotonic() >= self._deadline:
                raise GivenUp(ready=False)
            self._attempt(WorkerGroup.start, candidate)
        for candidate in new:
            if candidate in self._groups:
                self._attempt(self._wait_until_ready, candidate)
        for candidate in new:
            if candidate in self._groups and (plan := self._limits.warm_up(candidate)):
                self._warm_up(candidate, plan)
        started = [candidate for candidate in candidates if candidate in self._groups]
        for candidate in started:
            self.failures.pop(candidate, None)  # earlier it did not start beside others, say
        return started

    def measure(
        self,
        candidate: Candidate,
        kind: Kind,
        items: int | None = None,
        *,
        max_items: int | None = None,
        logged: str = "",
    ) -> Lap:
        """Measure one lap of a candidate whose workers run, and keep it.

        The lap runs exactly ``items`` items, if that is given. For ``max_items`` see ``Measure``.
        Its line in the log names the stage and number of the lap, or ``logged`` instead.
        """
        number = self._rounds[candidate, kind] = self._rounds.get((candidate, kind), 0) + 1
        if first := self._first_laps.pop(candidate, None):
            lap = replace(first, kind=kind, round=number)
        else:
            plan = self._limits.lap(candidate, kind, number, self.executions, items, most=max_items)
            lap = self._run(candidate, plan)
        self._limits.note_speed(lap)
        self.laps.append(lap)
        logged = logged or f"{kind} {number}"
        logger.info("%s: %.4g items/s (%s)", candidate, lap.items_per_s, logged)
        return lap

    def stop(self, candidates: Sequence[Candidate]) -> None:
        """Stop the workers of these candidates, all at once; kill them if the time is used up."""
        groups = [
            self._groups.pop(candidate) for candidate in candidates if candidate in self._groups
        ]
        for candidate in candidates:
            self._first_laps.pop(candidate, None)
        for group in groups:
            group.request_stop(kill=time.monotonic() >= self._deadline)
        for group in groups:
            group.stop()

    def _kill(self, candidate: Candidate) -> None:
        """Kill the workers of a candidate in the midst of a lap, and delete the items they left."""
        group = self._groups.pop(candidate)
        group.request_stop(kill=True)
        group.stop()
        for queue in (group.queue, *group.own_queues):
            self._publisher.delete_queue(queue)

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
                raise GivenUp(ready=False) from None
            raise

    def _warm_up(self, candidate: Candidate, plan: LapPlan) -> None:
        """Warm up a candidate; if its items turn out to be long, keep the lap as its first one."""
        lap = self._run(candidate, plan)
        if self._limits.items_are_long and not lap.lost:
            self._first_laps[candidate] = lap

    def _run(self, candidate: Candidate, plan: LapPlan) -> Lap:
        group = self._groups[candidate]
        running = RunningLap(group, self._publisher, plan)
        at_s = self.elapsed_s
        try:
            with self._load.observed():
                lap = replace(running.measure(), at_s=at_s)
        finally:
            self.executions += running.executions
            self.sent |= group.sent
            self.retried |= group.retried
        self._limits.note_durations(candidate, running.shortest_s, running.longest_s)
        if lap.traceback:
            self._tracebacks.setdefault(candidate, lap.traceback)
            if lap.mostly_failed:
                self.failures.setdefault(candidate, f"{candidate} {_first_failure(lap.traceback)}")
        if lap.lost:
            reason = _reason_of_loss(group, plan, self._tracebacks.get(candidate))
            self._drop(candidate, f"{candidate} {reason}")
        elif lap.cut_short:
            self._kill(candidate)
        return lap

    def _drop(self, candidate: Candidate, reason: str) -> None:
        """Stop a candidate whose workers failed, and keep the reason."""
        self.failures.setdefault(candidate, reason)
        logger.warning("%s", reason)
        self._kill(candidate)


def _first_failure(traceback: str) -> str:
    return f"{FAILED} {last_line(traceback)}"


def _reason_of_loss(group: WorkerGroup, plan: LapPlan, traceback: str | None) -> str:
    """Reason why a lap was lost, in the words of the task or the worker.

    ``traceback`` is that of the candidate's first failure.
    """
    if traceback:
        return _first_failure(traceback)
    if group.ended:
        return f"{ENDED} {group.last_error()}"
    reason = f"hung: no item finished within {plan.patience_s:.3g} s"
    if group.sent:
        return f"{reason}; it sent {', '.join(sorted(group.sent))}, {NOT_RUN}"
    logged = group.logged_error()
    return f"{reason}; its worker logged {logged}" if logged else reason
