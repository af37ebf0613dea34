"""The commands of the documents can be typed as they stand."""

import re
import shlex

import pytest

from tests.docs.pages import PRODUCER_LINES, ROOT, RUNNABLE_LINES, command_named, shell_lines


def test_the_documents_have_commands_to_run() -> None:
    assert len(RUNNABLE_LINES) >= 20


@pytest.mark.parametrize("line", PRODUCER_LINES)
def test_a_documented_command_has_valid_arguments(line: str) -> None:
    arguments = shlex.split(line, comments=True)[1:]
    command = command_named(arguments[0])
    command.make_context(arguments[0], arguments[1:], resilient_parsing=False)


def test_a_documented_make_target_exists() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    typed = {line.split()[1] for line in shell_lines() if line.startswith("make ")}
    assert len(typed) >= 6
    assert typed <= set(targets)
