"""Options that several commands share, and the objects that typed options become."""

import math
from collections.abc import Callable, Sequence
from dataclasses import Field, fields
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar

import click

from poolrace.producer.commands.completion import complete_names
from poolrace.producer.commands.terminal import wide_option
from poolrace.producer.executors.models import LOCAL_MODELS, Model
from poolrace.producer.jobs.job import MIN_TIME_LIMIT_S, Job
from poolrace.producer.jobs.schedules import SCHEDULES, ScheduleChoice
from poolrace.producer.settings import Settings
from poolrace.workers.errors import UsageError, suggestion
from poolrace.workers.pools import POOLS
from poolrace.workers.workloads import WORKLOADS, Workload, make_workload

F = TypeVar("F", bound=Callable[..., object])

LARGEST_EXPONENT = 30
"""Power of ten of the largest number that is parsed; every workload's limit is far smaller."""


class Count(click.ParamType[int]):
    """A whole number, written ``100000000``, ``100_000_000`` or ``1e8``."""

    name = "number"

    def __init__(self, least: int | None = None) -> None:
        self._least = least

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the exact number; fails for any other text."""
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = Decimal("nan")
        if number.is_finite() and number.adjusted() > LARGEST_EXPONENT:
            self.fail(f"{value!r} is too large; no workload goes beyond 1e12.", param, ctx)
        if not number.is_finite() or number != number.to_integral_value():
            self.fail(
                f"{value!r} is not a whole number; write 100000000, 100_000_000 or 1e8.", param, ctx
            )
        if self._least is not None and number < self._least:
            self.fail(f"{value} is too small; give {self._least} or more.", param, ctx)
        return int(number)


class Name(click.Choice[str]):
    """One of the known names; a similar name is refused with a suggestion."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:  # noqa: ARG002 # click's signature
        """Return the message on an unknown name."""
        return f"{value!r} is unknown; {suggestion(value, self.choices)}"


class FiniteFloat(click.FloatRange):
    """A number within a range; ``nan`` and ``inf``, which click's own types accept, fail."""

    name = "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number; fails for a number that is not finite."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number; write 60 or 0.5.", param, ctx)
        return number


class Numbers(click.ParamType[tuple[int, ...]]):
    """Whole numbers separated by commas."""

    name = "numbers"

    def __init__(self, least: int | None = None) -> None:
        self._count = Count(least)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Return the numbers as a tuple."""
        if isinstance(value, tuple):
            return value
        return tuple(self._count.convert(part.strip(), param, ctx) for part in value.split(","))


def broker_option(command: F) -> F:
    """Add ``--broker``."""
    return click.option(
        "--broker", metavar="URL", help="Redis of the cluster: redis://:PASSWORD@HOST:PORT/0."
    )(command)


def workload_options(command: F) -> F:
    """Add the workload, its range and its parameters, and ``--broker``."""
    options: list[Callable[[F], F]] = [
        click.argument(
            "workload",
            metavar="WORKLOAD",
            type=Name(list(WORKLOADS)),
            help=f"Name of the workload: {', '.join(WORKLOADS)}.",
        ),
        click.option("--start", type=Count(), help="First index.  [default: by workload]"),
        click.option(
            "--stop", type=Count(), help="Index after the last one.  [default: by workload]"
        ),
        *_parameter_options(),
    ]
    return broker_option(_add_options(options, command))


def job_options(command: F) -> F:
    """Add the options of ``workload_options``, and the schedule."""
    options: list[Callable[[F], F]] = [
        click.option(
            "--schedule",
            type=Name(SCHEDULES),
            default=SCHEDULES[0],
            metavar="SCHEDULE",
            show_default=True,
            help=f"Schedule that cuts the range: {', '.join(SCHEDULES)}.",
        ),
        click.option("--chunks", type=Count(least=1), help="Number of chunks."),
        click.option("--chunk-size", type=Count(least=1), help="Indices per chunk."),
    ]
    return workload_options(_add_options(options, command))


def model_options(command: F) -> F:
    """Add ``--pool`` and ``--local``, which name one model."""
    options: list[Callable[[F], F]] = [
        click.option(
            "--pool",
            metavar="POOL[:SLOTS]",
            shell_complete=complete_names(POOLS),
            help=f"Celery pool: {', '.join(POOLS)}.  [default: prefork]",
        ),
        click.option(
            "--local",
            metavar="MODEL[:SLOTS]",
            shell_complete=complete_names(LOCAL_MODELS),
            help=f"Local model: {', '.join(LOCAL_MODELS)}.",
        ),
    ]
    return _add_options(options, command)


def measuring_options(command: F) -> F:
    """Add ``--repeat`` and the options of ``result_options``."""
    repeat = click.option(
        "--repeat", type=Count(least=1), default="3", show_default=True, help="Runs of each case."
    )
    return repeat(result_options(command))


def result_options(command: F) -> F:
    """Add ``--out``, ``--report``, ``--json`` and ``--wide``."""
    options: list[Callable[[F], F]] = [
        file_options,
        click.option(
            "--json", "as_json", is_flag=True, help="Print the results as JSON, not as a table."
        ),
        wide_option,
    ]
    return _add_options(options, command)


def file_options(command: F) -> F:
    """Add ``--out`` and ``--report``."""
    path = click.Path(path_type=Path)
    options: list[Callable[[F], F]] = [
        click.option("--out", type=path, help="File for the raw results, as JSON."),
        click.option(
            "--report",
            type=path,
            help="File for a report; its suffix chooses the format, as .html, .md or .svg.",
        ),
    ]
    return _add_options(options, command)


time_limit_option = click.option(
    "--time-limit",
    "time_limit_s",
    metavar="SECONDS",
    type=FiniteFloat(min=MIN_TIME_LIMIT_S),
    help="Longest time for a chunk under a Celery pool.  [default: none]",
)


def job_from(options: dict[str, Any]) -> Job:
    """Create the job from the typed options, and remove them from ``options``."""
    name = options.pop("workload")
    typed = {
        parameter: value
        for parameter in _parameters()
        if (value := options.pop(parameter)) is not None
    }
    parameters = {field.name for field in fields(WORKLOADS[name])}
    for parameter in typed.keys() - parameters:
        owners = ", ".join(owner.name for owner in _parameters()[parameter])
        raise UsageError(
            f"--{parameter.replace('_', '-')} is not a parameter of {name}, but of {owners};"
            " leave it out"
        )
    workload = make_workload(name, typed)
    start, stop = options.pop("start"), options.pop("stop")
    start = workload.default_range[0] if start is None else start
    return Job(workload, start, workload.default_stop() if stop is None else stop)


def schedule_from(options: dict[str, Any]) -> ScheduleChoice:
    """Create the schedule from the typed options, and remove them from ``options``."""
    return ScheduleChoice(options.pop("schedule"), options.pop("chunks"), options.pop("chunk_size"))


def model_from(options: dict[str, Any]) -> Model:
    """Create the model from the typed options, and remove them from ``options``."""
    pool, local = options.pop("pool"), options.pop("local")
    if pool is not None and local is not None:
        raise UsageError(f"--pool {pool} and --local {local} exclude each other; give one")
    if local is not None:
        return Model.parse("local", local)
    return Model.parse("celery", "prefork" if pool is None else pool)


def settings_from(options: dict[str, Any]) -> Settings:
    """Read the settings, with ``--broker``, and remove it from ``options``."""
    return Settings.from_env(options.pop("broker"))


def _add_options(options: Sequence[Callable[[F], F]], command: F) -> F:
    """Add these options to the command, in this order."""
    for option in reversed(options):
        command = option(command)
    return command


def _parameters() -> dict[str, list[type[Workload]]]:
    """Return each parameter with the workloads that have it."""
    owners: dict[str, list[type[Workload]]] = {}
    for workload in WORKLOADS.values():
        for field in fields(workload):
            owners.setdefault(field.name, []).append(workload)
    return owners


def _parameter_options() -> list[Callable[[F], F]]:
    """Return an option for each parameter of any workload; the help has all defaults."""
    return [_parameter_option(name, owners) for name, owners in _parameters().items()]


def _parameter_option(name: str, owners: Sequence[type[Workload]]) -> Callable[[F], F]:
    by_owner = {
        owner.name: next(field for field in fields(owner) if field.name == name) for owner in owners
    }
    first = next(iter(by_owner.values()))
    defaults = ", ".join(
        f"{owner} {field.default}" for owner, field in by_owner.items() if field.default != ()
    )
    suffix = f"  [default: {defaults}]" if defaults else ""
    return click.option(
        f"--{name.replace('_', '-')}", type=_type_of(first), metavar=_metavar_of(first),
        help=f"{first.metadata['help']}.{suffix}",
    )  # fmt: skip


def _metavar_of(field: "Field[Any]") -> str | None:
    """Return the word for the value of a parameter; ``None`` for the word of its click type."""
    if field.metadata["choices"]:
        return field.name.upper()
    return "SECONDS" if field.name.endswith("_s") else None


def _type_of(field: "Field[Any]") -> click.ParamType[Any]:
    """Return the click type for a parameter of a workload."""
    if field.metadata["choices"]:
        return Name(field.metadata["choices"])
    if isinstance(field.default, tuple):
        return Numbers()
    return FiniteFloat() if isinstance(field.default, float) else Count()
