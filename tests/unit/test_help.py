"""The help of every command: whole sentences, options in sections, examples that are accepted."""

import re
import shlex
from pathlib import Path

import click
import pytest

from poolrace.producer.commands import COMMANDS, GROUPS, producer
from poolrace.producer.commands.help import SECTIONS

SENTENCE = re.compile(r"[A-Z-].*[.]( {1,2}\[default: .+\])?$")
"""A capital letter first, a full stop last, and possibly a default."""

VALUE = re.compile(r"\[?[A-Z]+\]?(\.\.\.|\[:[A-Z]+\]|,[A-Z]+,\.\.\.|,\.\.\.)?$")
"""The word for an option's value: in capitals, as NUMBER, POOL[:SLOTS] or N,N,..."""

WIDTH = 80
"""Characters of a line of the terminal."""


def command_named(name: str) -> click.Command:
    command = producer.get_command(click.Context(producer), name)
    assert command is not None
    return command


def context_of(name: str) -> click.Context:
    parent = click.Context(producer, info_name="producer", terminal_width=WIDTH)
    return click.Context(command_named(name), parent=parent, info_name=name)


def help_of(name: str) -> str:
    return command_named(name).get_help(context_of(name))


def options_of(name: str) -> list[click.Option]:
    return [each for each in command_named(name).params if isinstance(each, click.Option)]


def examples_of(command: click.Command) -> list[str]:
    assert command.epilog is not None
    heading, *lines = command.epilog.removeprefix("\b\n").splitlines()
    assert heading == "Examples:"
    return [line.strip() for line in lines]


def test_the_list_of_commands_has_one_line_for_each_command() -> None:
    text = producer.get_help(click.Context(producer, info_name="producer", terminal_width=WIDTH))
    for title, group in GROUPS.items():
        assert f"\n{title}:\n" in text
        for name, sentence in group.items():
            assert re.search(rf"^  {name} +{re.escape(sentence)}$", text, re.MULTILINE), name


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_has_the_first_sentence_of_each_commands_help(name: str) -> None:
    text = command_named(name).help
    assert text is not None
    assert text.split("\n\n")[0].replace("\n", " ") == COMMANDS[name]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_every_parameter_is_a_sentence(name: str) -> None:
    for parameter in command_named(name).params:
        text = getattr(parameter, "help", None)
        assert text is not None, (name, parameter.name)
        assert SENTENCE.match(text), (name, parameter.name, text)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_word_for_the_value_of_every_parameter_is_in_capitals(name: str) -> None:
    context = context_of(name)
    for parameter in command_named(name).params:
        if not getattr(parameter, "is_flag", False):
            word = parameter.make_metavar(context)
            assert VALUE.match(word), (name, parameter.name, word)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_in_one_section(name: str) -> None:
    for option in options_of(name):
        titles = [title for title, below in SECTIONS.items() if {*below} & {*option.opts}]
        assert len(titles) == 1, (name, option.opts, titles)


def test_every_option_of_a_section_exists() -> None:
    existing = {word for name in COMMANDS for option in options_of(name) for word in option.opts}
    for below in SECTIONS.values():
        assert {*below} - {"--version", "--help"} <= existing


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_fits_a_terminal_of_80_columns(name: str) -> None:
    assert max(len(line) for line in help_of(name).splitlines()) <= WIDTH


@pytest.mark.parametrize("name", COMMANDS)
def test_the_sections_of_a_command_begin_their_texts_in_one_column(name: str) -> None:
    rows = re.findall(r"^  (-.*?  +)\S", help_of(name), re.MULTILINE)
    assert len({len(row) for row in rows}) == 1, rows


@pytest.mark.parametrize("name", COMMANDS)
def test_the_examples_of_every_command_are_accepted(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("items.jsonl").touch()
    for example in examples_of(command_named(name)):
        program, command, *arguments = shlex.split(example)
        assert (program, command) == ("producer", name)
        command_named(name).make_context(name, arguments)


def test_the_examples_of_the_program_are_accepted() -> None:
    for example in examples_of(producer):
        _, command, *arguments = shlex.split(example)
        if arguments != ["--help"]:
            command_named(command).make_context(command, arguments)
