"""The commands of the documents can be typed as they stand, where a reader stands."""

import re
import shlex
import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import Any

import click
import pytest

from poolrace.producer.commands import COMMANDS
from tests.docs.pages import ROOT, command_named
from tests.docs.typed import ELSEWHERE, PROGRAMS, Typed, make_clone, spans, typed

TYPED = typed()
OURS = [each for each in TYPED if each.words[0] in PROGRAMS]
SPANS = spans()

FOREIGN_OPTIONS = {
    "--requirepass", "--strict", "--without-heartbeat", "--without-gossip",
    "--processes", "--threads", "--log-level",
}  # fmt: skip
"""Options of other programs that the documents name."""


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clone(tmp_path_factory.mktemp("docs") / "clone")


def test_the_documents_have_commands_to_run() -> None:
    assert sum(each.is_run for each in TYPED) >= 20


@pytest.mark.parametrize("command", TYPED, ids=str)
def test_a_documented_command_is_tested_here_or_elsewhere(command: Typed) -> None:
    assert command.words[0] in (*PROGRAMS, "make") or command.elsewhere


def test_every_entry_of_the_commands_tested_elsewhere_is_documented() -> None:
    assert {each.elsewhere for each in TYPED} - {None} == set(ELSEWHERE)


@pytest.mark.parametrize("command", OURS, ids=str)
def test_a_documented_command_has_valid_arguments(
    command: Typed, clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(clone / command.directory)
    _, name, *arguments = command.words
    command_named(name).make_context(name, arguments)


@pytest.mark.parametrize("command", [each for each in TYPED if each.words[0] == "make"], ids=str)
def test_a_documented_make_target_is_found_where_the_reader_stands(
    command: Typed, clone: Path
) -> None:
    make = [*command.words, "--dry-run", "--no-print-directory"]
    answer = subprocess.run(
        make, cwd=clone / command.directory, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize("span", [each for each in SPANS if each.startswith("make ")])
def test_a_make_target_within_a_sentence_exists_and_uses_its_variables(span: str) -> None:
    makefile = (ROOT / "Makefile").read_text()
    for word in shlex.split(span)[1:]:
        variable, assigned, _ = word.partition("=")
        pattern = rf"\$\({variable}\)|\$\(if \$\({variable}\)" if assigned else rf"^{word}:"
        assert re.search(pattern, makefile, re.MULTILINE), word


@pytest.mark.parametrize("span", [each for each in SPANS if each.split()[0] in PROGRAMS])
def test_a_command_within_a_sentence_has_known_options(span: str) -> None:
    arguments = shlex.split(span)[1:]
    if arguments and not arguments[0].startswith("-"):
        command = command_named(arguments[0])
        command.make_parser(click.Context(command)).parse_args(arguments[1:])


@pytest.mark.parametrize("span", [each for each in SPANS if each.startswith("--")])
def test_an_option_within_a_sentence_exists(span: str) -> None:
    known = {option for name in COMMANDS for each in command_named(name).params
             for option in each.opts}  # fmt: skip
    for word in span.split():
        if word.startswith("--"):
            assert word in known | FOREIGN_OPTIONS | {"--help", "--version"}


def test_the_example_workload_of_the_extension_guide_is_exact() -> None:
    """The code block of the guide runs as it stands, and obeys the rules of a workload."""
    guide = (ROOT / "docs" / "how-to" / "extend.md").read_text()
    code = re.search(r"^```python\n(.*?)^```", guide, re.MULTILINE | re.DOTALL)
    assert code
    module: dict[str, Any] = {"__name__": "guide"}
    exec(code[1], module)
    workload = module["Squares"]()
    assert last_value(workload.steps(3, 250_000)) == workload.expected(3, 250_000)
    assert workload.expected(3, 6) == 3 * 3 + 4 * 4 + 5 * 5


def last_value(steps: Generator[float, None, int]) -> int:
    """The value that the generator returns, its waits skipped."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            value: int = end.value
            return value
