"""Options that commands share, and how what is typed becomes what the packages work with."""

from collections.abc import Callable, Sequence
from dataclasses import Field, fields
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar

import click

from poolrace.producer.executors.models import LOCAL_MODELS, Model
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.schedules import SCHEDULES, ScheduleChoice
from poolrace.producer.settings import Settings
from poolrace.workers.errors import UsageError
from poolrace.workers.pools import POOLS
from poolrace.workers.workloads import WORKLOADS, Workload, make_workload

F = TypeVar("F", bound=Callable[..., object])

LARGEST_EXPONENT = 30
"""No workload's limit is near 10**30; beyond it a number only wastes memory."""


class Count(click.ParamType[int]):
    """A whole number, written ``100000000``, ``100_000_000`` or ``1e8``."""

    name = "number"

    def __init__(self, least: int | None = None) -> None:
        self._least = least

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number, exactly; fails for anything else."""
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


class Numbers(click.ParamType[tuple[int, ...]]):
    """Whole numbers separated by commas."""

    name = "numbers"

    def __init__(self, least: int | None = None) -> None:
        self._one = Count(least)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """The numbers as a tuple."""
        if isinstance(value, tuple):
            return value
        return tuple(self._one.convert(part.strip(), param, ctx) for part in value.split(","))


def broker_option(command: F) -> F:
    """``--broker``."""
    return click.option(
        "--broker", metavar="URL", help="Redis of the cluster, redis://:PASSWORD@HOST:PORT/0."
    )(command)


def workload_options(command: F) -> F:
    """The workload with its range and its parameters, and the cluster."""
    options: list[Callable[[F], F]] = [
        click.argument("workload", metavar="WORKLOAD", type=click.Choice(list(WORKLOADS))),
        click.option("--start", type=Count(), help="First index.  [default: by workload]"),
        click.option("--stop", type=Count(), help="Index behind the last.  [default: by workload]"),
        *_parameter_options(),
    ]
    return broker_option(_with(options, command))


def job_options(command: F) -> F:
    """The workload with its range and its parameters, the cluster, and the schedule."""
    options: list[Callable[[F], F]] = [
        click.option(
            "--schedule",
            type=click.Choice(SCHEDULES),
            default=SCHEDULES[0],
            show_default=True,
            help="How the range is cut; auto follows measured chunk times.",
        ),
        click.option("--chunks", type=Count(least=1), help="Cut into so many chunks."),
        click.option("--chunk-size", type=Count(least=1), help="Indices of a chunk."),
    ]
    return workload_options(_with(options, command))


def model_options(command: F) -> F:
    """One model, under which the cases differ in something else."""
    options: list[Callable[[F], F]] = [
        click.option(
            "--pool",
            metavar="POOL[:SLOTS]",
            help=f"Celery pool: {', '.join(POOLS)}.  [default: prefork]",
        ),
        click.option(
            "--local",
            metavar="MODEL[:SLOTS]",
            help=f"Local model: {', '.join(LOCAL_MODELS)}.",
        ),
    ]
    return _with(options, command)


def outcome_options(command: F) -> F:
    """How often to measure, and where the results go."""
    repeat = click.option(
        "--repeat", type=Count(least=1), default="3", show_default=True, help="Runs of each."
    )
    return repeat(result_options(command))


def result_options(command: F) -> F:
    """Where the results go."""
    path = click.Path(path_type=Path)
    options: list[Callable[[F], F]] = [
        click.option("--out", type=path, help="Store raw results here, as JSON."),
        click.option(
            "--report",
            type=path,
            help="Write a report here: a page, or what the name ends in, as .md, .svg or .png.",
        ),
        click.option(
            "--json", "as_json", is_flag=True, help="Print the results as JSON, not as a table."
        ),
    ]
    return _with(options, command)


time_limit_option = click.option(
    "--time-limit",
    "time_limit_s",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    help="Longest time for a chunk under a Celery pool.  [default: none]",
)


def job_from(options: dict[str, Any]) -> Job:
    """The job that was typed; takes what it uses out of ``options``."""
    name = options.pop("workload")
    given = {
        parameter: value
        for parameter in _parameters()
        if (value := options.pop(parameter)) is not None
    }
    own = {field.name for field in fields(WORKLOADS[name])}
    for parameter in given.keys() - own:
        raise UsageError(
            f"--{parameter.replace('_', '-')} is not a parameter of {name}, but of"
            f" {', '.join(owner.name for owner in _parameters()[parameter])}; leave it out"
        )
    workload = make_workload(name, given)
    start, stop = options.pop("start"), options.pop("stop")
    start = workload.default_range[0] if start is None else start
    return Job(workload, start, workload.default_stop() if stop is None else stop)


def schedule_from(options: dict[str, Any]) -> ScheduleChoice:
    """The schedule that was typed; takes what it uses out of ``options``."""
    return ScheduleChoice(options.pop("schedule"), options.pop("chunks"), options.pop("chunk_size"))


def model_from(options: dict[str, Any]) -> Model:
    """The model that was typed; takes what it uses out of ``options``."""
    pool, local = options.pop("pool"), options.pop("local")
    if pool is not None and local is not None:
        raise UsageError(f"--pool {pool} and --local {local} exclude each other; give one")
    if local is not None:
        return Model.parse("local", local)
    return Model.parse("celery", "prefork" if pool is None else pool)


def settings_from(options: dict[str, Any]) -> Settings:
    """The settings; takes ``--broker`` out of ``options``."""
    return Settings.from_env(options.pop("broker"))


def _with(options: Sequence[Callable[[F], F]], command: F) -> F:
    """The command with these options, in this order."""
    for option in reversed(options):
        command = option(command)
    return command


def _parameters() -> dict[str, list[type[Workload]]]:
    """Parameter -> the workloads that have it."""
    owners: dict[str, list[type[Workload]]] = {}
    for workload in WORKLOADS.values():
        for field in fields(workload):
            owners.setdefault(field.name, []).append(workload)
    return owners


def _parameter_options() -> list[Callable[[F], F]]:
    """An option for each parameter of any workload; its default shows per workload."""
    found = []
    for name, owners in _parameters().items():
        by_owner = {
            owner.name: next(f for f in fields(owner) if f.name == name) for owner in owners
        }
        any_field = next(iter(by_owner.values()))
        defaults = ", ".join(
            f"{owner} {f.default}" for owner, f in by_owner.items() if f.default != ()
        )
        found.append(
            click.option(
                f"--{name.replace('_', '-')}",
                type=_type_of(any_field),
                help=any_field.metadata["help"]
                + "."
                + (f"  [default: {defaults}]" if defaults else ""),
            )
        )
    return found


def _type_of(field: "Field[Any]") -> click.ParamType[Any]:
    if field.metadata["choices"]:
        return click.Choice(field.metadata["choices"])
    if isinstance(field.default, tuple):
        return Numbers()
    return click.FLOAT if isinstance(field.default, float) else Count()
