"""The registry of models: a new one is one file here and one entry below.

Executors are imported when they are made: Celery and gevent cost a third of a second to
import, which ``producer --help`` and the other models need not pay.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Literal

from poolrace.producer.executors.base import Executor, LocalExecutor
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.schedules import AUTO, ScheduleChoice
from poolrace.producer.settings import Settings
from poolrace.workers.errors import UsageError
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.pools import CORES, POOLS
from poolrace.workers.workloads import Workload

LOCAL_MODELS: dict[str, str] = {
    "single": "Single",
    "threads": "Threads",
    "processes": "Processes",
    "coroutines": "Coroutines",
    "greenlets": "Greenlets",
}
"""Name of the model, which is also its module, and its class."""

MAX_SLOTS = {"threads": 1000, "processes": 256, "prefork": 256}
"""More of them would bring down a machine before they ran a chunk; other models carry more."""

MOST_SLOTS = 10_000
"""For models that are not in ``MAX_SLOTS``."""

ONE_SLOT = ("single", "solo")

WAITING_SLOTS = {"threads": 32, "processes": 8, "prefork": 8, "coroutines": 1000, "greenlets": 1000}
"""Slots for a workload that waits: waiting needs no core, only memory."""


@dataclass(frozen=True)
class Model:
    """An execution model as the user names it; ``slots`` is ``None`` for the default.

    Raises ``UsageError`` for an unknown name or for slots that the model cannot have.
    """

    kind: Literal["local", "celery"]
    name: str
    slots: int | None = None

    def __post_init__(self) -> None:
        known = list(LOCAL_MODELS if self.kind == "local" else POOLS)
        what = "local model" if self.kind == "local" else "pool"
        if self.name not in known:
            raise UsageError(f"{what} {self.name!r} is unknown; choose {', '.join(known)}")
        if self.slots is not None and self.slots < 1:
            raise UsageError(f"{self.slots} slots for {self.name}: give 1 or more")
        most = MAX_SLOTS.get(self.name, MOST_SLOTS)
        if self.slots is not None and self.slots > most:
            raise UsageError(f"{self.slots} slots for {self.name}: give at most {most}")
        if self.name in ONE_SLOT and self.slots not in (None, 1):
            raise UsageError(f"{what} {self.name} has one slot, not {self.slots}; leave it out")

    @classmethod
    def parse(cls, kind: Literal["local", "celery"], text: str) -> "Model":
        """From ``NAME`` or ``NAME:SLOTS``."""
        name, colon, slots = text.partition(":")
        if colon and not slots.isdecimal():
            raise UsageError(f"{text!r}: {slots!r} is not a number of slots; write {name}:2")
        return cls(kind, name, int(slots) if colon else None)

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


def make_executor(
    model: Model, job: Job, settings: Settings, schedule: ScheduleChoice = AUTO
) -> Executor:
    """The executor of that model for a job, not yet entered.

    ``schedule`` is kept with a job that can be resumed.
    """
    if model.kind == "celery":
        from poolrace.producer.executors.celery.pool import CeleryPool  # noqa: PLC0415 # see above

        return CeleryPool(job, model.name, model.slots, schedule, settings)
    module = import_module(f"poolrace.producer.executors.{model.name}")
    cls: type[LocalExecutor] = getattr(module, LOCAL_MODELS[model.name])
    slots = model.slots or default_slots(model.name, job.workload, len(job))
    return cls(job, slots, HostFacts.collect(settings.host))


def default_slots(model: str, workload: Workload, count: int) -> int:
    """Slots of a model or pool if the user does not say.

    As many as cores for computing. For waiting as many as there are indices, up to what the
    model carries.
    """
    if model in ONE_SLOT:
        return 1
    if workload.waits and model in WAITING_SLOTS:
        return max(1, min(count, WAITING_SLOTS[model]))
    return POOLS[model].default_slots if model in POOLS else CORES
