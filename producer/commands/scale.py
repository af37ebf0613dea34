"""``producer scale``."""

from typing import Any

import click

from poolrace.producer.commands.help import Command
from poolrace.producer.commands.options import (
    Count,
    Numbers,
    job_from,
    job_options,
    measuring_options,
    model_from,
    model_options,
    schedule_from,
    settings_from,
)
from poolrace.producer.commands.output import Output
from poolrace.producer.commands.python_option import interpreters_from, python_option
from poolrace.producer.experiments.plans import supported_plan
from poolrace.producer.experiments.progress import run_bars
from poolrace.producer.experiments.scaling import ScaleOptions, scale_plan
from poolrace.producer.experiments.simulated_scaling import simulate_scaling, simulation_options
from poolrace.producer.program import examples


@click.command(
    cls=Command,
    epilog=examples(
        "scale mixed --stop 50 --local threads --slots 1,2,4",
        "scale sum --pool prefork --hosts 1,2,4",
        "scale mixed --pool threads --simulate 10,1000 --slots-per-host 16",
    ),
)
@job_options
@model_options
@click.option(
    "--hosts", metavar="N,N,...", type=Numbers(least=1), help="Numbers of hosts of the pool."
)
@click.option(
    "--slots", metavar="N,N,...", type=Numbers(least=1), help="Numbers of slots, instead of hosts."
)
@click.option(
    "--simulate",
    metavar="N,N,...",
    type=Numbers(least=1),
    help="Numbers of hosts to simulate; with --hosts also measured side by side.",
)
@click.option(
    "--slots-per-host",
    metavar="N",
    type=Count(least=1),
    help="Slots of each simulated host.  [default: 1]",
)
@python_option
@measuring_options
def command(
    hosts: tuple[int, ...] | None,
    slots: tuple[int, ...] | None,
    simulate: tuple[int, ...] | None,
    slots_per_host: int | None,
    repeat: int,
    **options: Any,
) -> None:
    """Run WORKLOAD on more and more hosts or slots; show the speed-up.

    Fits the Universal Scalability Law and predicts the speed-up for ten times the largest number.
    By default the hosts of the pool vary; with a single host, its slots. Without a cluster, the
    command starts a temporary one whose hosts are workers on this machine with one slot each.

    With --simulate, the command measures within seconds the costs of messages and indices, and
    simulates the job on as many hosts, each slot with a core of its own: speed-up, efficiency, the
    first limit, and changes that would move it. It is a simulation, not a measurement.
    """
    job, model, schedule = job_from(options), model_from(options), schedule_from(options)
    scale_options = ScaleOptions(job, model, hosts, slots, schedule, repeat)
    settings = settings_from(options)
    output = Output.from_options(options)
    interpreters = interpreters_from(options)
    if simulation := simulation_options(scale_options, simulate, slots_per_host):
        with run_bars(job, repeat * len(hosts or ())) as make_observer:
            output.write(simulate_scaling(scale_options, simulation, settings, make_observer))
        return
    output.run_plan(supported_plan(scale_plan(scale_options, settings), interpreters), settings)
