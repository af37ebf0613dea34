"""MkDocs hook: generates one reference page per command from its click definition."""

import inspect
from collections.abc import Iterator

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from poolrace.producer.commands import COMMANDS, producer
from poolrace.producer.commands.help import sections

FOLDER = "reference/commands"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a generated page for each command to the files of the site."""
    for name in COMMANDS:
        files.append(File.generated(config, f"{FOLDER}/{name}.md", content=page(name)))
    return files


def page(name: str) -> str:
    """The reference page of a command, as Markdown."""
    parent = click.Context(producer, info_name="producer")
    command = producer.get_command(parent, name)
    if command is None:
        raise LookupError(f"there is no command {name!r}")
    context = click.Context(command, info_name=name, parent=parent)
    lines = [
        f"# producer {name}",
        "",
        _text(command.help or ""),
        "",
        "```text",
        command.get_usage(context),
        "```",
        "",
        *_arguments(command),
    ]
    for title, options in sections(command, context):
        rows = [_row(option, context) for option in options]
        lines += [f"## {title}", "", "| option | meaning | default |", "|---|---|---|", *rows, ""]
    return "\n".join([*lines, *_examples(command), ""])


def _arguments(command: click.Command) -> Iterator[str]:
    """The arguments of a command as a list."""
    for argument in command.params:
        if isinstance(argument, click.Argument):
            yield f"- `{argument.make_metavar(click.Context(command))}`: {argument.help}"
    yield ""


def _examples(command: click.Command) -> Iterator[str]:
    """The examples of a command as a block."""
    heading, *lines = (command.epilog or "").removeprefix("\b\n").splitlines()
    yield from (f"## {heading.rstrip(':')}", "", "```sh", *map(str.strip, lines), "```")


def _row(option: click.Option, context: click.Context) -> str:
    record = option.get_help_record(context)
    names, text = record or (", ".join(option.opts), "")
    text, _, default = text.partition("  [default: ")
    return "| " + " | ".join(_cells(names, text, default)) + " |"


def _cells(names: str, text: str, default: str) -> Iterator[str]:
    """The cells of an option's row; what click adds in brackets goes into the last one."""
    yield f"`{_cell(names)}`"
    yield _cell(text)
    yield _cell(default.rstrip("]").replace("]  [", "; "))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _text(help_text: str) -> str:
    """A help text as paragraphs; a ``\\b`` block of click becomes a code block."""
    paragraphs = [part.strip("\n") for part in inspect.cleandoc(help_text).split("\n\n")]
    return "\n\n".join(
        "```text\n" + part.removeprefix("\b\n") + "\n```" if part.startswith("\b") else part
        for part in paragraphs
    )
