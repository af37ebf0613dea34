"""``producer map``."""

from typing import Any

import click

from poolrace.producer.commands.options import Count, FiniteFloat, Numbers, example, result_options
from poolrace.producer.commands.output import Output
from poolrace.producer.experiments.progress import steps
from poolrace.producer.race.options import MapOptions
from poolrace.producer.race.pool_map import measure_map
from poolrace.workers.errors import UsageError


@click.command(epilog=example("map --waiting 0,50,99 --slots 2,8 --repeat 1"))
@click.option(
    "--waiting", metavar="PERCENT,...", type=Numbers(least=0), default="0,25,50,75,90,99",
    show_default=True, help="Percentages of the task's time that it waits.",
)  # fmt: skip
@click.option(
    "--slots", metavar="N,N,...", type=Numbers(least=1), default="2,4,8,16,32", show_default=True,
    help="Concurrencies of each pool.",
)  # fmt: skip
@click.option(
    "--item-s", type=FiniteFloat(min=0.001, max=10.0), default=0.05, show_default=True,
    help="Seconds that one item takes alone.",
)  # fmt: skip
@click.option(
    "--repeat", type=Count(least=1), default="3", show_default=True,
    help="Laps of each pool in each cell.",
)  # fmt: skip
@result_options
def command(
    waiting: tuple[int, ...], slots: tuple[int, ...], item_s: float, repeat: int, **options: Any
) -> None:
    """Find the fastest pool for each share of waiting and each concurrency.

    Measures a Celery task that computes and waits, on its own workers and its own Redis. With
    the default options it takes ten minutes.
    """
    if max(waiting) > 100:
        raise UsageError(f"--waiting {max(waiting)} is above 100 percent; give 0 to 100")
    outcome = Output.from_options(options)
    shares = [percent / 100 for percent in sorted(set(waiting))]
    map_options = MapOptions(item_s, shares, sorted(set(slots)), repeat)
    with outcome.keeping_incomplete() as keep, steps(map_options.laps) as report_step:
        pool_map = measure_map(map_options, report_step, keep)
    outcome.write(pool_map)
