"""What is measured, and in which order: the base, the search, the finals. Prints nothing."""

import logging
import math
from collections.abc import Callable, Sequence
from itertools import count

from poolrace.producer.analysis.significance import LEAST_ROUNDS, Judgement, duel
from poolrace.producer.environment import describe_here, now
from poolrace.producer.errors import AllFailed, JobFailed
from poolrace.producer.jobs.schedules import MESSAGE_S
from poolrace.producer.race.app_info import App, celery_command, probe
from poolrace.producer.race.options import parse, pools_to_search
from poolrace.producer.race.sandbox import place
from poolrace.producer.race.search import PLAIN, Ladder, next_rung, rungs
from poolrace.producer.race.session import RaceOptions, RaceSession
from poolrace.producer.results.candidate import SOLO, Candidate
from poolrace.producer.results.race import Lap, Race, Reason, failures
from poolrace.producer.rounds import rotated
from poolrace.workers.pools import CORES

SEARCH = 0.6
"""The search takes at most so much of the budget; the finals get the rest."""

START_S = 3.0
"""What starting workers takes, roughly: nothing is begun that cannot end in time."""

FINALIST = 0.7
"""Who reaches so much of the best speed in the search is measured again."""

MOST_FINALISTS = 6
"""Two concurrencies of three pools: next to each other they may be equally fast."""

CHILD = 0.4
"""A process of prefork takes at least so much of what a worker alone does: the rest is shared."""

LAPS = 3
"""Laps of each candidate in the search; the best one counts, since noise only slows."""

LONG_S = 2.0
"""Of laps that take longer, two are enough."""

logger = logging.getLogger(__name__)


def race(wish: RaceOptions, agree: Callable[[App], None]) -> Race:
    """Race; ``agree`` is asked before the task is executed for the first time.

    Raises ``UsageError`` for what cannot be raced, ``AllFailed`` if no item succeeds.
    """
    made_at = now()
    with place(wish.broker) as found:
        app = probe(wish.target, found, wish.items)
        fixed, searched = _entries(wish, app)
        agree(app)
        with RaceSession(wish, found, app).open() as track:
            course = Course(wish, track)
            course.base()
            course.search(searched)
            course.measure(fixed)
            course.finals()
            return course.record(made_at, app)


def _entries(wish: RaceOptions, app: App) -> tuple[list[Candidate], list[str]]:
    """The candidates that were asked for one by one, and the pools that are searched."""
    searched = pools_to_search(wish.pools, app.pools)
    parsed = map(parse, wish.pools)
    fixed = [it for name, n in parsed if n for it in wish.variants.of(name, n)]
    return fixed, searched


class Course:
    """A race that is under way."""

    def __init__(self, wish: RaceOptions, track: RaceSession) -> None:
        self._wish = wish
        self._track = track
        self._best: dict[Candidate, float] = {}
        """Who may come into the finals, with the best speed so far."""
        self._ladders: list[Ladder] = []
        self._finalists: list[Candidate] = []
        self._variants: list[Candidate] = []
        self._left_out: dict[str, Reason] = {}

    def base(self) -> None:
        """One slot, where nothing gets into the task's way; also finds out whether it works."""
        if not self._track.enlist(SOLO):
            if not self._track.executions:
                raise JobFailed("no worker of the app starts; look at the lines above")
            raise JobFailed(
                f"{self._wish.target.task} did not end its first item within"
                f" {self._wish.time_limit_s:g} s; raise --time-limit, or mend the item"
            )
        laps = [self._track.lap(SOLO, "base")]
        if not laps[0].lost and self._track.has_room(SOLO):
            laps.append(self._track.lap(SOLO, "base"))
        if not any(lap.items for lap in laps):
            kinds = ", ".join(f"{name} ({n})" for name, n in failures(laps).items())
            raise AllFailed(
                f"{self._wish.target.task} failed for all {sum(lap.executions for lap in laps)}"
                f" items that were tried: {kinds}; mend the task, or the items",
                next((lap.traceback for lap in laps if lap.traceback), ""),
            )
        if not self._wish.pools or "solo" in self._wish.pools:
            self._best[SOLO] = max(lap.items_per_s for lap in laps)
        else:
            self._track.dismiss(SOLO)

    def search(self, pools: Sequence[str]) -> None:
        """Raise the concurrency of each pool while that gains."""
        numbers = rungs(CORES, self._useful())
        for pool in pools:
            first = [self._wish.variants.of(pool, number) for number in numbers]
            self._ladders.append(Ladder(pool, [it[0] for it in first]))
        while rung := next_rung(self._ladders):
            self._step(rung)
        for ladder in self._ladders:
            self._best.update(ladder.measured)
            if ladder.champion:
                others = self._wish.variants.of(ladder.pool, ladder.champion.concurrency)
                self._variants += [it for it in others if it != ladder.champion]

    def measure(self, candidates: Sequence[Candidate]) -> None:
        """Measure those that were asked for one by one, and other variants of champions."""
        wanted = [it for it in (*candidates, *self._variants) if it not in self._best]
        if len(wanted) + len(self._best) <= MOST_FINALISTS and not self._ladders:
            self._best = dict.fromkeys((*self._best, *wanted), math.inf)  # so few need no choice
            return
        for candidate in wanted:
            if reason := self._measure(candidate):
                self._left_out[str(candidate)] = reason
                self._track.dismiss(candidate)

    def _measure(self, candidate: Candidate) -> Reason | None:
        """The first laps of the candidate; returns why it is out, if it is."""
        if reason := self._cannot(candidate):
            return reason
        laps = self._laps(candidate)
        if not laps or self._too_large(laps):
            return "memory" if laps else "failures"
        self._best[candidate] = max(lap.items_per_s for lap in laps)
        return None

    def finals(self) -> None:
        """The best ones again, in turn, until it is clear who is faster, or that nobody is.

        Raises ``JobFailed`` if nobody came that far.
        """
        self._finalists = self._chosen()
        if not self._finalists:
            out = {**{it.pool: it.ended for it in self._ladders}, **self._left_out}
            reasons = ", ".join(f"{name} ({why})" for name, why in out.items())
            raise JobFailed(f"no candidate came through: {reasons}; raise that limit")
        self._track.dismiss(*(it for it in self._best if it not in self._finalists))
        running = self._track.enlist(*self._finalists)
        speeds: dict[Candidate, list[float]] = {it: [] for it in running}
        round_s = 0.0
        for number in count():
            if not running or self._decided(speeds, running, number):
                break
            left_s = self._track.left_s()
            # A round is whole: who had one lap more than others could not be compared with them.
            if left_s < round_s or not all(map(self._track.has_room, running)):
                break
            for candidate in rotated(running, number):
                lap = self._track.lap(candidate, "final")
                speeds[candidate].append(lap.items_per_s)
                if lap.lost or self._too_large([lap]):
                    running.remove(candidate)
                    self._left_out[str(candidate)] = "failures" if lap.lost else "memory"
                    self._track.dismiss(candidate)
            round_s = left_s - self._track.left_s()

        ran = {lap.candidate for lap in self._track.laps}
        for candidate in self._finalists:
            if candidate not in ran:  # who is missing is not passed over in silence
                reason: Reason = "time" if candidate in running else "failures"
                self._left_out.setdefault(str(candidate), reason)

    def record(self, made_at: str, app: App) -> Race:
        """What is left behind."""
        environment = describe_here()
        ours = environment["versions"].get("poolrace", "?")
        environment["versions"] = {"poolrace": ours, "celery": app.celery, "python": app.python}
        return Race(
            made_at=made_at,
            app=self._wish.target.app,
            task=self._wish.target.task,
            items=len(self._wish.items),
            command=[*celery_command(self._wish.target.python), "-A", self._wish.target.app],
            queue=app.queue,
            cores=CORES,
            cores_left=self._track.cores_left,
            gil=app.gil,
            max_memory_bytes=self._wish.max_memory_bytes,
            executions=self._track.executions,
            ended={it.pool: it.ended for it in self._ladders if it.ended},
            left_out=self._left_out,
            finalists=self._finalists,
            environment=environment,
            laps=tuple(self._track.laps),
        )

    def _useful(self) -> float:
        """How many slots an item's computing leaves room for: until all cores are busy."""
        laps = [lap for lap in self._track.laps if lap.kind == "base"]
        running_s = sum(lap.running_total_s - lap.core_wait_s for lap in laps)
        least_s = MESSAGE_S * sum(lap.executions for lap in laps)
        return CORES * max(1.0, running_s / max(sum(lap.cpu_s for lap in laps), least_s))

    def _step(self, rung: Sequence[tuple[Ladder, Candidate]]) -> None:
        """Try a rung of several ladders; their workers start and end together."""
        for ladder, candidate in rung:
            ladder.ended = self._cannot(candidate)
            if not ladder.ended and self._would_not_fit(candidate, ladder):
                ladder.too_large()
        able = [(ladder, candidate) for ladder, candidate in rung if ladder.next == candidate]
        self._track.enlist(*(candidate for _, candidate in able))
        for ladder, candidate in able:
            self._climb(ladder, candidate)
        tried = {candidate for _, candidate in rung} | {
            it for ladder, _ in rung for it, _ in ladder.climbed
        }
        self._track.dismiss(*(tried - {ladder.champion for ladder in self._ladders}))

    def _climb(self, ladder: Ladder, candidate: Candidate) -> None:
        """Try the next rung of the ladder."""
        before = ladder.champion
        laps = self._laps(candidate, plain=PLAIN * ladder.speed)
        if not laps:
            ladder.ended = "failures"
            return
        if self._too_large(laps):
            ladder.too_large()
            return
        speed = max(lap.items_per_s for lap in laps)
        if before and speed < PLAIN * ladder.speed and self._track.left_s(SEARCH) > 0:
            again = self._again(before, candidate)
            if again is None:
                ladder.ended = "failures"
                return
            ladder.climbed[-1] = before, max(ladder.speed, again[0])
            speed = max(speed, again[1])
        ladder.enter(speed)

    def _again(self, *candidates: Candidate) -> list[float] | None:
        """Another lap of each, in turn; ``None`` if one did not come through."""
        speeds = []
        for candidate in candidates:
            lap = self._track.lap(candidate, "search")
            if lap.lost:
                return None
            speeds.append(lap.items_per_s)
        return speeds

    def _laps(self, candidate: Candidate, plain: float = math.inf) -> list[Lap]:
        """The first laps; none if the candidate did not come through.

        Two are enough if both reach the speed ``plain``.
        """
        if not self._track.enlist(candidate):
            return []
        laps = []
        for _ in range(LAPS):
            laps.append(self._track.lap(candidate, "search"))
            if laps[-1].lost:
                return []
            enough = laps[-1].wall_s > LONG_S or min(it.items_per_s for it in laps) >= plain > 0
            if (
                (len(laps) > 1 and enough)
                or self._track.left_s(SEARCH) < 0
                or not self._track.has_room(candidate)
            ):
                break
        return laps

    def _cannot(self, candidate: Candidate) -> Reason | None:
        """Why the candidate cannot be measured within the limits."""
        if not self._track.has_room(candidate):
            return "executions"
        return "time" if self._track.left_s(SEARCH) < START_S else None

    def _would_not_fit(self, candidate: Candidate, ladder: Ladder) -> bool:
        """Processes take memory in proportion to their number: do not even start them."""
        if candidate.pool != "prefork":
            return False
        before = ladder.champion
        kin = before or SOLO
        size = max(lap.peak_memory_bytes for lap in self._track.laps if lap.candidate == kin)
        more = 1.8 if before else CHILD * candidate.slots
        return more * size > self._wish.max_memory_bytes

    def _too_large(self, laps: Sequence[Lap]) -> bool:
        return max(lap.peak_memory_bytes for lap in laps) > self._wish.max_memory_bytes

    def _chosen(self) -> list[Candidate]:
        """The fastest, and those that may be as fast; two at least, if there are so many."""
        ordered = sorted(self._best, key=lambda it: -self._best[it])
        enough = FINALIST * self._best[ordered[0]] if ordered else 0.0
        near = [it for it in ordered if self._best[it] >= enough]
        return ordered[: max(2, min(len(near), MOST_FINALISTS))]

    def _decided(
        self, speeds: dict[Candidate, list[float]], running: list[Candidate], number: int
    ) -> bool:
        """Whether everybody can be told from the fastest, or is known to be as fast."""
        if len(running) == 1:
            return number >= LEAST_ROUNDS
        leader = max(running, key=lambda it: sum(speeds[it]))
        judged = {it: duel(speeds[leader], speeds[it]) for it in running if it != leader}
        if Judgement.OPEN in judged.values():
            for slower in [it for it, how in judged.items() if how == Judgement.FASTER]:
                running.remove(slower)
            return False
        return number >= LEAST_ROUNDS
