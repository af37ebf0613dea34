"""``producer race``."""

import logging
import os
import sys
from pathlib import Path
from typing import Any, TextIO

import click
import psutil

from poolrace.producer.commands.completion import complete_names, complete_path
from poolrace.producer.commands.help import Command
from poolrace.producer.commands.options import Count, FiniteFloat, Numbers, result_options
from poolrace.producer.commands.output import Output
from poolrace.producer.errors import AllFailed
from poolrace.producer.jobs.job import MIN_TIME_LIMIT_S
from poolrace.producer.program import examples
from poolrace.producer.race.app_info import AppInfo
from poolrace.producer.race.interpreter import app_interpreter
from poolrace.producer.race.items import Item, read_items
from poolrace.producer.race.options import RaceOptions, Target, Variants, parse_pool
from poolrace.producer.race.race import race
from poolrace.workers.errors import UsageError
from poolrace.workers.pools import POOLS

SMALLEST = "race -A proj --task proj.add --items items.jsonl"
"""Command line with the required options only, of the examples."""


class Size(click.ParamType[int]):
    """Parameter type of a number of bytes, written ``500M`` or ``2G``."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Parse the number of bytes."""
        units = {"K": 2**10, "M": 2**20, "G": 2**30}
        text = str(value).upper().removesuffix("IB").removesuffix("B")
        number, unit = (text[:-1], units[text[-1]]) if text[-1:] in units else (text, 1)
        if not number.isdecimal() or int(number) == 0:
            self.fail(f"{value!r} is not a size; write 500M or 2G.", param, ctx)
        return int(number) * unit


@click.command(
    cls=Command,
    epilog=examples(
        SMALLEST,
        f"{SMALLEST} --pool gevent:50",
        f"{SMALLEST} --report race.html",
    ),
)
@click.option("-A", "--app", required=True, metavar="APP", help="The app, as celery -A takes it.")
@click.option("--task", required=True, metavar="NAME", help="Full name of the task.")
@click.option(
    "--items", "lines", required=True, type=click.File(encoding="utf-8"), metavar="FILE",
    help="JSON Lines with the arguments of each call; - reads standard input.",
)  # fmt: skip
@click.option("--limit", type=Count(least=1), help="Use the first N items only.")
@click.option(
    "--repeat-items", type=Count(least=1),
    help="Run all items N times in each lap.  [default: as many items as measuring needs]",
)  # fmt: skip
@click.option(
    "--python", metavar="PATH", shell_complete=complete_path,
    help="Interpreter of the app's environment.  [default: that of VIRTUAL_ENV, else of .venv"
    " beside the app, else this one]",
)  # fmt: skip
@click.option("--broker", metavar="URL", help="Redis to use.  [default: a private one]")
@click.option(
    "--pool", "pools", metavar="POOL[:SLOTS]", multiple=True,
    shell_complete=complete_names(POOLS),
    help=f"A candidate, or a pool whose concurrency is searched: {', '.join(POOLS)}. Repeatable."
    "  [default: search all]",
)  # fmt: skip
@click.option(
    "--workers", type=Numbers(least=1),
    help="Numbers of workers per candidate, separated by commas."
    "  [default: one, and more where the search finds that they help]",
)  # fmt: skip
@click.option("--prefetch", type=Numbers(least=0), help="Prefetch multipliers to race.")
@click.option(
    "--max-tasks-per-child", type=Numbers(least=1),
    help="Values of prefork's --max-tasks-per-child to race.",
)  # fmt: skip
@click.option(
    "--max-memory", type=Size(),
    help="Memory of all workers of a candidate, at most, as 500M or 2G."
    "  [default: half of the available memory]",
)  # fmt: skip
@click.option(
    "--budget-s", metavar="SECONDS", type=FiniteFloat(min=1), default=120.0, show_default=True,
    help="Seconds that the race may take.",
)  # fmt: skip
@click.option(
    "--time-limit", "time_limit_s", metavar="SECONDS", type=FiniteFloat(min=MIN_TIME_LIMIT_S),
    default=60.0, show_default=True, help="Seconds that one item may take.",
)  # fmt: skip
@click.option(
    "--max-executions", type=Count(least=1), default="50_000", show_default=True,
    help="Executions of the task, at most.",
)  # fmt: skip
@click.option("--yes", is_flag=True, help="Do not ask before the task is executed.")
@result_options
def command(*, yes: bool, **options: Any) -> None:
    """Find the pool and the concurrency for a task of your Celery app.

    Workers run in the app's environment, with its configuration. Its broker and its result
    backend are replaced by a private Redis, and are never contacted.
    """
    outcome = Output.from_options(options)
    chosen = race_options(options)
    try:
        with outcome.keeping_incomplete() as keep:
            result = race(chosen, lambda app: _confirm(app, chosen, yes=yes), keep)
    except AllFailed as failed:
        if failed.traceback:
            click.echo(failed.traceback, err=True)
        raise
    outcome.write(result)


def race_options(options: dict[str, Any]) -> RaceOptions:
    """The options of a race, from those of the command line."""
    lines: TextIO = options["lines"]
    for text in options["pools"]:
        parse_pool(text)
    python = app_interpreter(options["python"], os.environ, Path.cwd())
    return RaceOptions(
        target=Target(options["app"], options["task"], python, Path.cwd()),
        items=_items(lines, options["limit"]),
        pools=options["pools"],
        variants=Variants(
            options["workers"] or (),
            options["prefetch"] or (None,),
            options["max_tasks_per_child"] or (None,),
        ),
        broker=options["broker"],
        budget_s=options["budget_s"],
        time_limit_s=options["time_limit_s"],
        max_memory_bytes=options["max_memory"] or psutil.virtual_memory().available // 2,
        max_executions=options["max_executions"],
        repeat_items=options["repeat_items"],
    )


def _items(lines: TextIO, limit: int | None) -> list[Item]:
    try:
        return read_items(lines, limit)
    except UnicodeDecodeError as error:
        raise UsageError(f"--items {lines.name} is not UTF-8: {error}") from error
    except UsageError as error:
        raise UsageError(f"--items {lines.name}: {error}") from error


def _confirm(app: AppInfo, options: RaceOptions, *, yes: bool) -> None:
    """Say how often the task will be executed, and ask whether to go on, unless ``yes``."""
    python = options.target.python
    environment = "" if python == sys.executable else f" of {python}"
    limit, eager = app.settings.rate_limit, app.settings.eager
    unlimited = f", without its rate limit of {limit}, which limits its throughput in every pool"
    by_workers = ", by workers although the app sets task_always_eager"
    notice = (
        f"{options.target.task} will be executed for real, at most {options.max_executions:,}"
        f" times, as often as fits into {options.budget_s:g} s{unlimited if limit else ''}"
        f"{by_workers if eager else ''}"
        f" (Celery {app.celery}, Python {app.python}{environment})"
    )
    if yes:
        logging.getLogger("poolrace.producer.race").info(notice)
        return
    if not os.isatty(0):
        raise UsageError(
            f"{notice}; confirm that with --yes, because there is no terminal to ask on"
        )
    click.confirm(f"{notice}. Go on?", abort=True, err=True)
