"""The registry of execution models: a new local model is one file here and one entry below.

An executor is imported only when it is made: Celery and gevent take a third of a second to
import, which ``producer --help`` and the other models do not need.
"""

import platform
import sys
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Literal

from poolrace.producer.executors.base import Executor, LocalExecutor
from poolrace.producer.executors.other_interpreter import OtherInterpreter
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.schedules import AUTO, ScheduleChoice
from poolrace.producer.results.interpreter import Interpreter
from poolrace.producer.settings import Settings
from poolrace.workers.capacity import require_capacity, slots_demand
from poolrace.workers.counts import parse_count
from poolrace.workers.errors import UsageError, unknown
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.installation import why_missing
from poolrace.workers.pools import CORES, POOLS
from poolrace.workers.workloads import Workload

LOCAL_MODELS: dict[str, str] = {
    "single": "Single",
    "threads": "Threads",
    "processes": "Processes",
    "coroutines": "Coroutines",
    "greenlets": "Greenlets",
    "interpreters": "Interpreters",
}
"""Class of each local model, by the model's name, which is also the name of its module."""

LOCAL_SLOTS = {
    "threads": "thread",
    "processes": "process",
    "coroutines": "greenlet",
    "greenlets": "greenlet",
    "interpreters": "interpreter",
}
"""Kind of a slot in each local model, as far as its slots take memory."""

ONE_SLOT = ("single", "solo")
"""Models that have exactly one slot."""

WAITING_SLOTS = {
    "threads": 32,
    "processes": 8,
    "prefork": 8,
    "coroutines": 1000,
    "greenlets": 1000,
    "interpreters": 8,
}
"""Slots for a workload that waits, by model: waiting needs memory, but no core."""

INTERPRETERS_SINCE = (3, 14)
"""Version of the first Python with the standard library's ``concurrent.interpreters``."""


@dataclass(frozen=True)
class Model:
    """The name of an execution model, its number of slots, and the interpreter that runs it.

    Raises ``UsageError`` for an unknown name, or for slots that the model cannot have.
    """

    kind: Literal["local", "celery"]
    name: str
    slots: int | None = None
    """Number of slots; ``None`` for the default."""
    interpreter: Interpreter | None = None
    """The interpreter that a local model runs under; ``None``: that of the producer."""

    def __post_init__(self) -> None:
        known = list(LOCAL_MODELS if self.kind == "local" else POOLS)
        kind = "local model" if self.kind == "local" else "pool"
        if self.name not in known:
            raise unknown(kind, self.name, known)
        if self.slots is not None and self.slots < 1:
            raise UsageError(f"{self.slots} slots for {self.name}: give 1 or more")
        if self.name in ONE_SLOT and self.slots not in (None, 1):
            raise UsageError(f"{kind} {self.name} has one slot, not {self.slots}; leave it out")

    @classmethod
    def parse(cls, kind: Literal["local", "celery"], text: str) -> "Model":
        """Read a model from ``NAME`` or ``NAME:SLOTS``, as in ``threads:4``."""
        name, colon, slots = text.partition(":")
        number = parse_count(slots)
        if colon and number is None:
            raise UsageError(f"{text!r}: {slots!r} is not a number of slots; write {name}:2")
        return cls(kind, name, number)

    def __str__(self) -> str:
        name = f"{self.kind}:{self.name}"
        return f"{name} @ {self.interpreter.label}" if self.interpreter else name


def require_local_capacity(model: Model) -> None:
    """Raise ``UsageError`` for a local model with more slots than this machine can hold."""
    if model.kind == "local" and model.slots and model.name in LOCAL_SLOTS:
        demand_of = partial(slots_demand, LOCAL_SLOTS[model.name])
        require_capacity(f"{model.name}:{model.slots}", model.slots, "slots", demand_of)


def missing(model: Model, workload: Workload) -> str:
    """The thing that the model lacks for this workload under its interpreter; empty if nothing."""
    other = model.interpreter
    version = other.version_info if other else sys.version_info[:2]
    if model.kind == "local" and model.name == "interpreters" and version < INTERPRETERS_SINCE:
        number = other.version if other else platform.python_version()
        return f"it needs Python {'.'.join(map(str, INTERPRETERS_SINCE))}, and this is {number}"
    if other and model.name == "greenlets":
        return "it needs gevent, and --python uses no installed packages"
    if model.name == "greenlets" and (why := why_missing("gevent")):
        return f"it needs gevent: {why}"
    isolated = other or (model.kind == "local" and model.name == "interpreters")
    if isolated and (package := workload.needs):
        return f"the workload needs {package}, and --python and interpreters use no packages"
    return ""


def make_executor(
    model: Model, job: Job, settings: Settings, schedule: ScheduleChoice = AUTO
) -> Executor:
    """Make the executor of the model for a job; the caller enters the executor.

    ``schedule`` is stored with a job that can be resumed. Raises ``UsageError`` for a model that
    cannot run here.
    """
    if why := missing(model, job.workload):
        raise UsageError(f"{model} cannot run: {why}; choose another model")
    if model.kind == "celery":
        from poolrace.producer.executors.celery.pool import CeleryPool  # noqa: PLC0415 # see above

        return CeleryPool(job, model.name, model.slots, schedule, settings)
    slots = model.slots or default_slots(model.name, job.workload, len(job))
    host = HostFacts.collect(settings.host)
    if model.interpreter:
        return OtherInterpreter(job, slots, host, model.name, model.interpreter)
    module = import_module(f"poolrace.producer.executors.{model.name}")
    cls: type[LocalExecutor] = getattr(module, LOCAL_MODELS[model.name])
    return cls(job, slots, host)


def default_slots(model: str, workload: Workload, count: int) -> int:
    """Default number of slots of a model for a workload with ``count`` indices.

    A workload that computes gets one slot per core. A workload that waits gets one slot per
    index, up to ``WAITING_SLOTS``.
    """
    if model in ONE_SLOT:
        return 1
    if workload.waits and model in WAITING_SLOTS:
        return max(1, min(count, WAITING_SLOTS[model]))
    return POOLS[model].default_slots if model in POOLS else CORES
