"""The commands of the documents can be typed as they stand."""

import re
import shlex
from collections.abc import Generator
from typing import Any

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
