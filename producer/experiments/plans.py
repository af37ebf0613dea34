"""What is measured: cases of one job, and the order in which they take their turns. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from poolrace.producer.executors.models import Model, default_slots
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.schedules import AUTO, ScheduleChoice, Static
from poolrace.producer.results.comparison import Varies
from poolrace.producer.rounds import rotated
from poolrace.workers.errors import UsageError

MOST_CHUNKS = 1024
"""The largest number of chunks of a sweep by default: enough for what a chunk costs to show."""

SPAN = 64
"""A sweep by default goes over a range of at least so much, if there are indices enough."""


@dataclass(frozen=True)
class Case:
    """One of the things that are compared: a model, how the range is cut, on how many hosts."""

    model: Model
    schedule: ScheduleChoice = AUTO
    hosts: int | None = None
    """Hosts of the pool that work; the slots of the model are then those of each host.
    ``None``: whoever is there."""

    @property
    def limited(self) -> Model:
        """The model with its limit on chunks in flight: hosts limit them by themselves."""
        return replace(self.model, slots=None) if self.hosts else self.model

    def __str__(self) -> str:
        counts = {"slots": self.model.slots, "hosts": self.hosts, "chunks": self.schedule.chunks}
        return ", ".join((str(self.model), *(f"{n} {what}" for what, n in counts.items() if n)))


@dataclass(frozen=True)
class Plan:
    """Which cases of a job are compared, how often, and what it is that varies."""

    job: Job
    cases: Sequence[Case]
    repeat: int = 1
    varies: Varies = "model"

    def __post_init__(self) -> None:
        for case in self.cases:
            case.schedule.make(len(self.job))  # a user's mistake shows before anything starts

    def rounds(self) -> Iterator[Case]:
        """The case of each run: every case once in each round."""
        for number in range(self.repeat):
            yield from rotated(self.cases, number)

    def pools(self) -> dict[str, int]:
        """The Celery pools needed, with the most slots that a case wants of each of its hosts."""
        pools: dict[str, int] = {}
        for model in (case.model for case in self.cases):
            if model.kind == "celery":
                wanted = model.slots or default_slots(model.name, self.job.workload, len(self.job))
                pools[model.name] = max(wanted, pools.get(model.name, 0))
        return pools

    @property
    def hosts(self) -> int:
        """The most hosts that a case wants."""
        return max(case.hosts or 1 for case in self.cases)

    @property
    def schedule(self) -> str:
        """What the cases have in common of how the range is cut."""
        schedules = {str(case.schedule) for case in self.cases}
        return schedules.pop() if len(schedules) == 1 else self.cases[0].schedule.name


def sweep_plan(job: Job, model: Model, chunks: Sequence[int] | None, repeat: int) -> Plan:
    """The job cut into each of these numbers of equal chunks."""
    if chunks is None:
        slots = model.slots or default_slots(model.name, job.workload, len(job))
        chunks = _spread_out(len(job), slots)
    if len(set(chunks)) < 2:
        raise UsageError(
            f"{_listed(chunks)} chunk(s) of {len(job)} indices leave nothing to compare;"
            " give two numbers or more, as in --chunks 2,8,64, or a longer range"
        )
    cases = [Case(model, ScheduleChoice(Static.name, chunks=n)) for n in sorted(set(chunks))]
    return Plan(job, cases, repeat, "chunks")


def slots_plan(
    job: Job, model: Model, slots: Sequence[int], schedule: ScheduleChoice, repeat: int
) -> Plan:
    """The job on each of these numbers of slots."""
    cases = [Case(replace(model, slots=n), schedule) for n in _series("--slots", slots)]
    return Plan(job, cases, repeat, "slots")


def hosts_plan(
    job: Job, model: Model, hosts: Sequence[int], schedule: ScheduleChoice, repeat: int
) -> Plan:
    """The job on each of these numbers of hosts."""
    cases = [Case(model, schedule, n) for n in _series("--hosts", hosts)]
    return Plan(job, cases, repeat, "hosts")


def doublings(most: int) -> list[int]:
    """1, 2, 4 and so on up to ``most``, which is the last in any case."""
    return sorted({most, *(2**power for power in range(most.bit_length()))})


def _series(option: str, numbers: Sequence[int]) -> list[int]:
    series = sorted(set(numbers))
    if 1 not in series:
        raise UsageError(
            f"{option} {_listed(numbers)} lacks 1, which every speed-up is over;"
            f" write {option} 1,{_listed(series)}"
        )
    if len(series) < 2:
        raise UsageError(f"{option} 1 leaves nothing to compare; write {option} 1,2,4")
    return series


def _spread_out(count: int, slots: int) -> list[int]:
    """Numbers of chunks from a chunk a slot upwards, each four times the one before.

    With very many slots they begin below that, and in a short range they lie closer.
    """
    most = min(count, MOST_CHUNKS)
    first = max(1, min(slots, most // SPAN))
    factor = 4 if most >= SPAN * first else 2
    numbers = []
    while first <= most:
        numbers.append(first)
        first *= factor
    return numbers


def _listed(numbers: Sequence[int]) -> str:
    return ",".join(map(str, numbers)) or "no"
