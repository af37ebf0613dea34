"""The project of the tests on small real apps."""

import pytest

from tests.conftest import CommandLine
from tests.races.project import APP, MARK


@pytest.fixture
def project(producer: CommandLine) -> CommandLine:
    """The command line in the directory of a user's project, a module with an app."""
    (producer.directory / "proj.py").write_text(APP)
    producer.variables[MARK] = str(producer.directory)
    return producer
