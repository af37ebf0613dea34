"""The programs of the lesson and their counterparts give the same values."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import CommandLine
from tests.docs.pages import DOCS, ROOT

PROGRAMS = sorted((ROOT / "examples" / "lesson").glob("*.py"))

SMALLER = {"100_000_000": "1_000_000", "WAIT_S = 1.0": "WAIT_S = 0.05"}
"""Constants of the programs, and smaller ones that the tests put in their places."""

SMALLER_OPTIONS = {"sum": ("--stop", "1_000_000"), "factorial": ("--wait-s", "0.05"), "minimum": ()}
"""Workload -> options that give the counterpart the smaller constants."""


def name(program: Path) -> str:
    """The name of a program without its suffix."""
    return program.stem


def counterpart(program: Path) -> str:
    """The command that the program names in its docstring."""
    [command] = re.findall(r"^    (producer run .*)$", program.read_text(), re.MULTILINE)
    return str(command)


def printed_by(program: Path, folder: Path) -> list[str]:
    """The lines that the program prints, with the standard library alone."""
    text = program.read_text()
    for constant, smaller in SMALLER.items():
        text = text.replace(constant, smaller)
    (folder / program.name).write_text(text)
    python = [sys.executable, "-I", "-S", program.name]
    answer = subprocess.run(python, cwd=folder, capture_output=True, text=True, check=True)
    return answer.stdout.splitlines()


def test_the_lesson_has_five_programs() -> None:
    assert list(map(name, PROGRAMS)) == [
        "factorials", "minimum", "one_thread", "two_processes", "two_threads",
    ]  # fmt: skip


@pytest.mark.parametrize("constant", SMALLER)
def test_the_programs_have_the_constants_that_the_tests_replace(constant: str) -> None:
    assert any(constant in program.read_text() for program in PROGRAMS)


@pytest.mark.parametrize("program", PROGRAMS, ids=name)
def test_a_program_and_its_counterpart_give_the_same_value(
    program: Path, producer: CommandLine
) -> None:
    _, *arguments = shlex.split(counterpart(program))
    answer = producer(*arguments, *SMALLER_OPTIONS[arguments[1]], "--json")
    assert answer.code == 0, answer.err
    run = answer.json()
    assert printed_by(program, producer.directory)[-1] == f"Result: {run['value']}"
    assert run["exact"] is True


def test_the_generator_and_its_counterpart_give_the_same_minimum_after_each_value(
    producer: CommandLine,
) -> None:
    program = ROOT / "examples" / "lesson" / "minimum.py"
    run = producer(*shlex.split(counterpart(program))[1:], "--json").json()
    lines = [f"after {record['value']}: {record['merged']}" for record in run["records"]]
    assert printed_by(program, producer.directory)[:-1] == lines


@pytest.mark.parametrize("program", PROGRAMS, ids=name)
def test_the_lesson_names_a_program_beside_its_counterpart(program: Path) -> None:
    [row] = re.findall(rf"^\| `{program.name}`.*$", (DOCS / "lesson.md").read_text(), re.MULTILINE)
    assert f"`{counterpart(program)}`" in row
    assert f"\npython examples/lesson/{program.name}\n" in (DOCS / "lesson.md").read_text()
