"""The project of the tests on small real apps."""

import pytest

from tests.conftest import CommandLine
from tests.in_process import InProcess
from tests.races.project import APP, MARK


@pytest.fixture
def project(producer: CommandLine) -> CommandLine:
    """The command line in the directory of a user's project, a module with an app."""
    (producer.directory / "proj.py").write_text(APP)
    producer.variables[MARK] = str(producer.directory)
    return producer


@pytest.fixture
def project_in_process(project: CommandLine, producer_in_process: InProcess) -> InProcess:
    """The same without a process of its own, for races that end before a worker starts."""
    assert project.directory == producer_in_process.directory
    return producer_in_process
