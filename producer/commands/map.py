"""``producer map``."""

from typing import Any

import click

from poolrace.producer.commands.help import Command
from poolrace.producer.commands.options import Count, FiniteFloat, Numbers, result_options
from poolrace.producer.commands.output import Output
from poolrace.producer.experiments.progress import steps
from poolrace.producer.program import examples
from poolrace.producer.race.options import MapOptions
from poolrace.producer.race.pool_map import measure_map
from poolrace.producer.reports.formats import trace
from poolrace.workers.errors import UsageError


@click.command(
    cls=Command,
    epilog=examples("map --waiting 0,50,99 --slots 2,8", "map --out map.json --report map.svg"),
)
@click.option(
    "--waiting", metavar="PERCENT,...", type=Numbers(least=0), default="0,25,50,75,90,99",
    show_default=True, help="Percentages of the task's time that it waits.",
)  # fmt: skip
@click.option(
    "--slots", metavar="N,N,...", type=Numbers(least=1), default="2,4,8,16,32", show_default=True,
    help="Concurrencies of each pool.",
)  # fmt: skip
@click.option(
    "--item-s", metavar="SECONDS", type=FiniteFloat(min=0.001, max=10.0), default=0.05,
    show_default=True, help="Seconds that one item takes alone.",
)  # fmt: skip
@click.option(
    "--repeat", type=Count(least=1), default="5", show_default=True,
    help="Laps of each pool in each cell, at most; clear cells get two. With one, no cell has a"
    " winner.",
)  # fmt: skip
@click.option(
    "--budget-s", metavar="SECONDS", type=FiniteFloat(min=1), default=180.0, show_default=True,
    help="Seconds that the map may take.",
)  # fmt: skip
@result_options
def command(
    waiting: tuple[int, ...],
    slots: tuple[int, ...],
    item_s: float,
    repeat: int,
    budget_s: float,
    **options: Any,
) -> None:
    """Find the fastest pool for each share of waiting.

    Measures a Celery task that computes and waits, on its own workers and its own Redis. All
    pools are measured twice in each cell; cells that are not clear then get more laps, as far as
    there is time.
    """
    if max(waiting) > 100:
        raise UsageError(f"--waiting {max(waiting)} is above 100 percent; give 0 to 100")
    outcome = Output.from_options(options)
    if outcome.format == "trace":
        trace.refuse("map")
    shares = [percent / 100 for percent in sorted(set(waiting))]
    map_options = MapOptions(item_s, shares, sorted(set(slots)), repeat, budget_s)
    with outcome.keeping_incomplete() as keep, steps(map_options.laps) as report_step:
        pool_map = measure_map(map_options, report_step, keep)
    outcome.write(pool_map)
