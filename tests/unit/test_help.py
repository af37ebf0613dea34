"""The help of every command: whole sentences, and an example that the command accepts."""

import re
import shlex
from pathlib import Path

import click
import pytest

from poolrace.producer.commands import COMMANDS, producer

SENTENCE = re.compile(r"[A-Z-].*[.]( {1,2}\[default: .+\])?$")
"""A capital letter first, a full stop last, and possibly a default."""


def command_named(name: str) -> click.Command:
    command = producer.get_command(click.Context(producer), name)
    assert command is not None
    return command


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_has_the_first_sentence_of_each_commands_help(name: str) -> None:
    text = command_named(name).help
    assert text is not None
    assert text.split("\n\n")[0].replace("\n", " ") == COMMANDS[name]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_every_option_is_a_sentence(name: str) -> None:
    for parameter in command_named(name).params:
        if isinstance(parameter, click.Option):
            assert parameter.help is not None
            assert SENTENCE.match(parameter.help), (name, parameter.name, parameter.help)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_example_of_every_command_is_accepted(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("items.jsonl").touch()
    example = command_named(name).epilog
    assert example is not None
    assert example.startswith(f"Example: producer {name}")
    arguments = shlex.split(example.removeprefix("Example: "))[1:]
    command_named(name).make_context(name, arguments[1:])
