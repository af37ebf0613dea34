"""The command line that repeats a measurement; it is stored with the results."""

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

import click

from poolrace.producer.commands.help import TYPED
from poolrace.producer.program import PROGRAM
from poolrace.workers.settings import mask

OUTPUT = ("out", "report", "format_", "as_json", "wide")
"""Parameters of the output. A repeated command must not overwrite the files of the first one."""

BROKER = '"$CELERY_BROKER_URL"'
"""Shell's word for the broker's address, in place of one that may hold a password."""


def invocation() -> str:
    """The command line of the running command, quoted for a shell, without passwords and output.

    It is empty outside of a command.
    """
    context = click.get_current_context(silent=True)
    if context is None or TYPED not in context.meta:
        return ""
    parser = context.command.make_parser(context)
    values, _, typed = parser.parse_args(list(context.meta[TYPED]))
    parameters = [each for each in dict.fromkeys(typed) if each.name not in OUTPUT]
    options = list(_options(parameters, values))
    arguments = [
        shlex.quote(mask(text))
        for each in parameters
        if isinstance(each, click.Argument) and each.name in values
        for text in _words(values[each.name])
    ]
    name = context.info_name or ""
    if any(argument.startswith("-") for argument in arguments):
        return " ".join([PROGRAM, name, *options, "--", *arguments])
    return " ".join([PROGRAM, name, *arguments, *options])


def _words(value: Any) -> tuple[str, ...]:
    """The words of an argument: several, one, or none if it was left out."""
    if isinstance(value, tuple):
        return value
    return (value,) if isinstance(value, str) else ()


def _options(typed: list[click.Parameter], values: Mapping[str, Any]) -> Iterator[str]:
    """The words of the options that were typed, in the order in which they were typed."""
    for parameter in typed:
        if not isinstance(parameter, click.Option):
            continue
        name, value = max(parameter.opts, key=len), values[parameter.name]
        if parameter.is_flag:
            yield name
            continue
        for text in value if parameter.multiple else [value]:
            yield from (name, _quoted(name, text))


def _quoted(option: str, text: str) -> str:
    """The value of an option, quoted; of a broker's address only one without login or query."""
    if option == "--broker" and re.search("[@?]", text):
        return BROKER
    return shlex.quote(mask(text))
