"""The ten commands of the tour print what its page shows, on a machine with other figures."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import PATIENCE_S, CommandLine
from tests.docs.tours import Section, sections, shape

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """The command line of a reader who follows the tour; its cluster ends with the tests."""
    path = f"{Path(sys.prefix) / 'bin'}:{os.environ['PATH']}"
    variables = {"POOLRACE_HOST": "host", "VIRTUAL_ENV": sys.prefix, "PATH": path}
    with CommandLine(tmp_path_factory.mktemp("tour"), variables) as command_line:
        yield command_line


def type_lines(lines: str, producer: CommandLine) -> None:
    """Type the lines in a shell, but run the tested program where they say ``producer``."""
    for line in [line for line in lines.splitlines() if line.startswith("producer ")]:
        assert producer(*shlex.split(line)[1:]).code == 0, line
        lines = lines.replace(line, "")
    subprocess.run(["sh", "-e"], input=lines, text=True, cwd=producer.directory, check=True)


@pytest.mark.parametrize("section", sections(), ids=str)
def test_a_command_of_the_tour_prints_what_the_page_shows(
    section: Section, reader: CommandLine
) -> None:
    type_lines(section.before, reader)
    folder = reader.directory / ("mine" if "cd mine" in section.before else "")
    producer = replace(reader, directory=folder)  # in the end the fixture stops what this started
    answer = producer(*shlex.split(section.command)[1:], timeout_s=2 * PATIENCE_S)
    assert answer.code == 0, answer.err
    printed = shape(answer.out)
    missing = [line for line in shape(section.output) if line not in printed]
    assert not missing, f"the page shows lines that {section.command} does not print: {missing}"
    type_lines(section.after, producer)
