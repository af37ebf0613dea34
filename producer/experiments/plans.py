"""Plans: the cases of a comparison, and the order in which they are measured. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from poolrace.producer.executors.models import Model, default_slots, missing
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.schedules import AUTO, ScheduleChoice, Static
from poolrace.producer.results.comparison import Varies
from poolrace.producer.results.interpreter import Interpreter
from poolrace.producer.rounds import rotated
from poolrace.workers.errors import UsageError

MAX_CHUNKS = 1024
"""Chunks of the last case of a default sweep, at most: enough to show the cost of a chunk."""

MIN_SPAN = 64
"""Ratio of the largest to the smallest number of chunks in a default sweep, at least."""


@dataclass(frozen=True)
class Case:
    """A case of a comparison: a model, a schedule and, where hosts vary, a number of hosts."""

    model: Model
    schedule: ScheduleChoice = AUTO
    hosts: int | None = None
    """Hosts of the pool that run chunks while the others pause; ``None`` means all hosts. With a
    number, the slots of the model are slots per host."""

    @property
    def executor_model(self) -> Model:
        """The model for the executor; without slots where the number of hosts limits them."""
        return replace(self.model, slots=None) if self.hosts else self.model

    def __str__(self) -> str:
        counts = {"slots": self.model.slots, "hosts": self.hosts, "chunks": self.schedule.chunks}
        parts = [f"{number} {unit}" for unit, number in counts.items() if number]
        return ", ".join((str(self.model), *parts))


@dataclass(frozen=True)
class Plan:
    """A plan: the cases of a comparison, the number of their runs, and the field that varies."""

    job: Job
    cases: Sequence[Case]
    repeat: int = 1
    varies: Varies = "model"
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Models that cannot run, and why: words after "because"."""

    def __post_init__(self) -> None:
        for case in self.cases:
            case.schedule.make(len(self.job))  # raises UsageError before the first run starts

    def rounds(self) -> Iterator[Case]:
        """Yield the case of each run: every case once in each round, in rotated order."""
        for number in range(self.repeat):
            yield from rotated(self.cases, number)

    def pools(self) -> dict[str, int]:
        """Return the Celery pools of the cases, with the slots that one host of a pool needs."""
        pools: dict[str, int] = {}
        for model in (case.model for case in self.cases):
            if model.kind == "celery":
                slots = model.slots or default_slots(model.name, self.job.workload, len(self.job))
                pools[model.name] = max(slots, pools.get(model.name, 0))
        return pools

    @property
    def interpreters(self) -> list[Interpreter]:
        """The interpreters of the cases, without that of the producer."""
        models = (case.model for case in self.cases)
        return list(dict.fromkeys(model.interpreter for model in models if model.interpreter))

    @property
    def runs(self) -> int:
        """Total number of runs."""
        return self.repeat * len(self.cases)

    @property
    def hosts(self) -> int:
        """The largest number of hosts of any case."""
        return max(case.hosts or 1 for case in self.cases)

    @property
    def schedule(self) -> str:
        """The schedule of all cases with its sizes, or only its name if the sizes differ."""
        schedules = {str(case.schedule) for case in self.cases}
        return schedules.pop() if len(schedules) == 1 else self.cases[0].schedule.name


def supported_plan(
    plan: Plan,
    interpreters: Sequence[Interpreter] = (),
    unusable_pools: Mapping[str, str] | None = None,
) -> Plan:
    """Return the plan with each local case under each of the interpreters, by default under ours.

    Cases that cannot run are left out; ``unusable_pools`` has the reason for each such pool.
    Raises ``UsageError`` if no local case is there for the interpreters, or none of all cases can
    run.
    """
    if interpreters and not any(case.model.kind == "local" for case in plan.cases):
        model = plan.cases[0].model
        raise UsageError(f"--python is for local models, not for {model}; give --local, as well")
    cases, left_out = [], {}
    for case in plan.cases:
        is_local = case.model.kind == "local"
        for interpreter in interpreters if is_local and interpreters else [None]:
            model = replace(case.model, interpreter=interpreter)
            why = missing(model, plan.job.workload)
            if model.kind == "celery":
                why = (unusable_pools or {}).get(model.name) or why
            if why:
                left_out[str(model)] = why
            else:
                cases.append(replace(case, model=model))
    if not cases:
        model_name, why = next(iter(left_out.items()))
        raise UsageError(f"{model_name} cannot run: {why}; choose another model")
    return replace(plan, cases=cases, left_out=left_out)


def sweep_plan(job: Job, model: Model, chunks: Sequence[int] | None, repeat: int) -> Plan:
    """Return a plan with one case per number of equal chunks.

    ``None`` chooses the numbers. Raises ``UsageError`` for fewer than two numbers.
    """
    if chunks is None:
        slots = model.slots or default_slots(model.name, job.workload, len(job))
        chunks = _default_chunks(len(job), slots)
    if len(set(chunks)) < 2 or not len(job):
        raise UsageError(
            f"{_joined(chunks)} chunk(s) of {len(job)} indices leave nothing to compare;"
            " give two numbers or more, as in --chunks 2,8,64, or a longer range"
        )
    cases = [Case(model, ScheduleChoice(Static.name, chunks=n)) for n in sorted(set(chunks))]
    return Plan(job, cases, repeat, "chunks")


def slots_plan(
    job: Job, model: Model, slots: Sequence[int], schedule: ScheduleChoice, repeat: int
) -> Plan:
    """Return a plan with one case per number of slots."""
    cases = [Case(replace(model, slots=n), schedule) for n in _series("--slots", slots)]
    return Plan(job, cases, repeat, "slots")


def hosts_plan(
    job: Job, model: Model, hosts: Sequence[int], schedule: ScheduleChoice, repeat: int
) -> Plan:
    """Return a plan with one case per number of hosts."""
    cases = [Case(model, schedule, n) for n in _series("--hosts", hosts)]
    return Plan(job, cases, repeat, "hosts")


def doublings(maximum: int) -> list[int]:
    """Return the powers of two below ``maximum``, and ``maximum`` itself."""
    return sorted({maximum, *(2**power for power in range(maximum.bit_length()))})


def _series(option: str, numbers: Sequence[int]) -> list[int]:
    """Return the numbers in order; raises ``UsageError`` without 1, or with nothing but 1."""
    series = sorted(set(numbers))
    if 1 not in series:
        raise UsageError(
            f"{option} {_joined(numbers)} lacks 1, the base of every speed-up;"
            f" write {option} 1,{_joined(series)}"
        )
    if len(series) < 2:
        raise UsageError(f"{option} 1 leaves nothing to compare; write {option} 1,2,4")
    return series


def _default_chunks(count: int, slots: int) -> list[int]:
    """Return the numbers of chunks of a default sweep: one per slot, then four times more each.

    With many slots the first number is smaller, to keep ``MIN_SPAN``; in a short range the factor
    is two.
    """
    most = min(count, MAX_CHUNKS)
    chunks = max(1, min(slots, most // MIN_SPAN))
    factor = 4 if most >= MIN_SPAN * chunks else 2
    numbers = []
    while chunks <= most:
        numbers.append(chunks)
        chunks *= factor
    return numbers


def _joined(numbers: Sequence[int]) -> str:
    return ",".join(map(str, numbers)) or "no"
