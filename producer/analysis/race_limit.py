"""Finds the resource that limits a race, and what would help: one table, ``LIMITS``. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Literal

from poolrace.producer.analysis.race_hints import IDLE_SHARE, WAITING_TASK, Saturation
from poolrace.producer.analysis.race_model import OUT_OF_CPU, item_cost, model_of
from poolrace.producer.analysis.race_summary import CandidateSummary, is_busy
from poolrace.producer.results.race import Race

Limit = Literal[
    "failures", "broker", "blocking", "worker", "gil", "memory", "service", "waiting", "cpu"
]
"""Resource or property that limits the throughput."""

MAX_FAILED_SHARE = 0.1
"""Share of failed items above which failures are reported as the limit."""

NEARLY_OUT_OF_CPU = 0.7
"""CPU seconds per second of a worker's main process from which it is the limit, if the race has
shown that more slots gain too little."""

FREE_CORES = 0.5
"""CPU cores that must be idle for another worker process to help."""

HELPS = 1.15
"""Ratio of speeds that a change must promise for the report to say that it would help."""

ONE_CORE = 1.25
"""CPU cores below which a process counts as using one core only."""

MORE_SLOTS = "more slots"
"""Change that only an idle core, or a slot that waits, can reward."""

ONE_SLOT_FOR_EACH_CORE = f"{MORE_SLOTS}, up to one for each core"
"""Change for a task that computes in fewer slots than there are cores."""


@dataclass(frozen=True)
class Evidence:
    """Figures of a race that show its limit."""

    race: Race
    best: Sequence[CandidateSummary]
    """The fastest candidate, and those that are not distinguishable from it."""
    recommended: CandidateSummary
    blocking: Sequence[CandidateSummary]
    """Candidates whose greenlets all stand still while one of them waits."""
    saturation: Saturation | None
    waiting_share: float
    """Share of its running time in which the task waits, measured alone in one slot."""

    @property
    def waits(self) -> bool:
        """Whether the task mostly waits, and does not compute in other processes meanwhile."""
        running_s = fsum(lap.running_total_s for lap in self.race.base)
        computing = fsum(lap.cpu_s for lap in self.race.base) / max(running_s, 1e-9)
        return self.waiting_share > WAITING_TASK and computing < 1 - WAITING_TASK

    @property
    def gained_too_little(self) -> bool:
        """Whether the race has measured, or computed, that more slots gain too little."""
        return self.race.ended.get(self.recommended.candidate.pool) in {"gain", "top"}

    @property
    def more_slots_help(self) -> bool | None:
        """Whether more slots of the recommended pool are faster; ``None`` if that is not known."""
        if is_busy(self.race):
            return None
        return not self.gained_too_little and gain_of_slots(self.race, self.recommended) > HELPS


@dataclass(frozen=True)
class LimitRule:
    """One row of the table of limits."""

    limit: Limit
    holds: Callable[[Evidence], bool]
    sentence: str
    """Sentence that names the limit."""
    helps: tuple[str, ...]
    """Changes that raise throughput."""
    does_not_help: tuple[str, ...] = (MORE_SLOTS,)
    """Changes that do not."""


@dataclass(frozen=True)
class Advice:
    """Changes that would raise throughput, and changes that would not; no change is in both."""

    helps: tuple[str, ...]
    does_not_help: tuple[str, ...]


def find_limit(evidence: Evidence) -> Limit:
    """The limit of the first row of ``LIMITS`` that holds."""
    return next(rule.limit for rule in LIMITS if rule.holds(evidence))


def advise(limit: Limit, evidence: Evidence) -> Advice:
    """Changes that help against a limit, and that do not, as far as the race shows it.

    A busy machine does not show which changes are of no use, and more slots win cores from other
    processes there.
    """
    rule = RULES[limit]
    helps, does_not_help = rule.helps, rule.does_not_help
    greenlets = evidence.recommended.candidate.pool == "gevent"
    if limit == "waiting" or (limit == "blocking" and not greenlets):
        if evidence.more_slots_help:
            helps = (MORE_SLOTS, *helps)
        if evidence.gained_too_little:
            does_not_help = (MORE_SLOTS,)
    elif limit == "blocking":
        helps = ("threads or processes instead of greenlets", *helps)
    elif limit == "cpu" and _leaves_cores_idle(evidence):
        helps, does_not_help = (ONE_SLOT_FOR_EACH_CORE,), ()
    if is_busy(evidence.race):
        does_not_help = ()
        helps = tuple(change for change in helps if not change.startswith(MORE_SLOTS))
    return Advice(helps, does_not_help)


def gain_of_slots(race: Race, summary: CandidateSummary) -> float:
    """Ratio of the speed with any number of slots to that of a candidate, by the race's model."""
    candidate = summary.candidate
    level = model_of(race, candidate.pool).ceiling(candidate.workers)
    return level / max(summary.executions_per_s, 1e-9)


def gain_of_workers(race: Race, summary: CandidateSummary) -> float:
    """Ratio of the speed with twice the workers to that of a candidate, by the race's model.

    Twice the workers do not help where the cores also run the producer and Redis.
    """
    candidate = summary.candidate
    level = model_of(race, candidate.pool).law(2 * candidate.workers)
    return level / max(summary.executions_per_s, 1e-9)


def _fails(evidence: Evidence) -> bool:
    return evidence.best[0].failed_share > MAX_FAILED_SHARE


def _delivers_more_than_it_runs(evidence: Evidence) -> bool:
    """Whether even one slot spends its time on messages.

    Time in which a slot is empty, as while a process that hung is replaced, does not count.
    """
    item = item_cost(evidence.race.base)
    return item.running_s < 0.5 * item.slot_s


def _is_blocked(evidence: Evidence) -> bool:
    return bool(evidence.blocking)


def _main_process_is_out_of_cpu(evidence: Evidence) -> bool:
    """Whether each worker's main process uses up one core while another core is idle.

    If more workers of this kind are not faster, their number does not limit.
    """
    summary = evidence.recommended
    share = summary.main_cpu_share
    if share is None or summary.cpu_cores > evidence.race.cores - FREE_CORES:
        return False
    enough = NEARLY_OUT_OF_CPU if evidence.gained_too_little else OUT_OF_CPU
    most_workers = max(row.candidate.workers for row in evidence.best)
    return (
        share >= enough
        and summary.candidate.workers >= most_workers
        and gain_of_workers(evidence.race, summary) > HELPS
    )


def _messages_take_the_cpu(evidence: Evidence) -> bool:
    """Whether a main process is out of CPU, and more than half of that is not the task's own."""
    summary = evidence.recommended
    own_s = 0.0
    if summary.candidate.pool != "prefork":  # whose main process runs no items
        own_s = item_cost(evidence.race.base).own_cpu_s
    total_s = summary.main_cpu_s_per_item or 0.0
    return _main_process_is_out_of_cpu(evidence) and own_s < 0.5 * total_s


def _is_held_back_by_gil(evidence: Evidence) -> bool:
    """Whether the best candidates have one GIL and leave other cores idle.

    Where processes are as fast, the GIL does not limit.
    """
    best, race = evidence.best, evidence.race
    one_interpreter = all(
        summary.candidate.pool != "prefork" and summary.candidate.workers == 1 for summary in best
    )
    one_core = race.cores > 1 and best[0].cores_used < ONE_CORE
    computes = not evidence.waits or _main_process_is_out_of_cpu(evidence)
    return (
        one_interpreter and one_core and computes and race.gil and best[0].candidate.pool != "solo"
    )


def _needs_memory(evidence: Evidence) -> bool:
    """Whether the memory limit ended the search, although more slots would be faster."""
    full = evidence.race.ended.get(evidence.best[0].candidate.pool) == "memory"
    return full and gain_of_slots(evidence.race, evidence.best[0]) > HELPS


def _waits_while_cores_are_idle(evidence: Evidence) -> bool:
    return evidence.waits and evidence.recommended.cores_used < OUT_OF_CPU * evidence.race.cores


def _waits_for_a_saturated_service(evidence: Evidence) -> bool:
    return _waits_while_cores_are_idle(evidence) and evidence.saturation is not None


def _leaves_cores_idle(evidence: Evidence) -> bool:
    """Whether there are fewer slots than cores, and cores are idle."""
    summary, cores = evidence.recommended, evidence.race.cores
    return summary.candidate.slots < cores and summary.cores_used < IDLE_SHARE * cores


LIMITS = (
    LimitRule(
        "failures",
        _fails,
        "Limited by failures: failed items do not count as throughput.",
        ("mending the items that fail",),
        (),
    ),
    LimitRule(
        "broker",
        _delivers_more_than_it_runs,
        "Limited by messages: the task takes less time than Celery needs to deliver it.",
        ("larger items (several in one call)",),
    ),
    LimitRule(
        "blocking",
        _is_blocked,
        "Limited by a blocking call: gevent cannot patch the call in which the task waits, so all"
        " greenlets of a worker stop while one of them waits.",
        ("for greenlets a driver that gevent can patch",),
        ("more greenlets",),
    ),
    LimitRule(
        "worker",
        _messages_take_the_cpu,
        "Limited by the worker: one process handles all messages, and that takes all of the CPU"
        " time that one process can use; the workers do not use the other cores.",
        ("more worker processes",),
    ),
    LimitRule(
        "gil",
        _is_held_back_by_gil,
        "Limited by the GIL: one thread computes at a time, and the workers do not use the"
        " other cores.",
        ("processes (prefork)", "code that releases the GIL"),
    ),
    LimitRule(
        "memory",
        _needs_memory,
        "Limited by memory: more slots would exceed --max-memory.",
        ("more memory", "fewer imports in the workers"),
        (),
    ),
    LimitRule(
        "service",
        _waits_for_a_saturated_service,
        "Limited by the service that the task waits for: it answers no faster to more items at a"
        " time.",
        ("faster answers of the service",),
    ),
    LimitRule(
        "waiting",
        _waits_while_cores_are_idle,
        "Limited by waiting: the task mostly waits, and the workers do not need all cores.",
        ("faster answers of the service that the task waits for",),
        ("more cores",),
    ),
    LimitRule(
        "cpu",
        lambda _: True,
        "Limited by the CPU: the workers keep all available cores busy.",
        ("more cores",),
    ),
)
"""Limits in the order in which they are tried: value, condition, sentence, what helps, and what
does not. The last one holds for everything else."""

RULES = {rule.limit: rule for rule in LIMITS}
"""Limit -> its row of the table."""
