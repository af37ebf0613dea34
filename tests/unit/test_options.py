"""Options that take a number refuse every text that is not a finite number."""

import click
import pytest

from poolrace.producer.commands import COMMANDS, producer
from poolrace.producer.commands.options import FiniteFloat
from poolrace.producer.jobs.job import MIN_TIME_LIMIT_S, Job
from poolrace.workers.errors import UsageError
from poolrace.workers.workloads import make_workload


def float_options() -> list[tuple[str, click.Parameter]]:
    """Command and option, for all options of the program that take a fraction."""
    context = click.Context(producer)
    commands = ((name, producer.get_command(context, name)) for name in COMMANDS)
    return [
        (name, parameter)
        for name, command in commands
        if command
        for parameter in command.params
        if isinstance(parameter.type, click.types.FloatParamType)
    ]


def test_every_option_that_takes_a_fraction_has_the_type_that_refuses_infinity() -> None:
    found = {(name, parameter.name) for name, parameter in float_options()}
    assert found >= {("run", "time_limit_s"), ("race", "budget_s"), ("map", "item_s")}
    for name, parameter in float_options():
        assert isinstance(parameter.type, FiniteFloat), (name, parameter.name)


@pytest.mark.parametrize("text", ["nan", "NaN", "inf", "-inf", "Infinity", "1e999", "soon", ""])
def test_a_number_that_is_not_finite_is_refused(text: str) -> None:
    for name, parameter in float_options():
        with pytest.raises(click.BadParameter, match="not"):
            parameter.type.convert(text, parameter, click.Context(producer, info_name=name))


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), 0.0, -1.0, 1e-9])
def test_a_job_refuses_a_time_limit_that_no_chunk_can_have(seconds: float) -> None:
    with pytest.raises(UsageError, match=r"--time-limit .* give 0\.001 s"):
        Job(make_workload("sum", {}), 0, 10, time_limit_s=seconds)
    assert Job(make_workload("sum", {}), 0, 10, time_limit_s=MIN_TIME_LIMIT_S).time_limit_s
