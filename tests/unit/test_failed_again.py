"""``make test`` runs the failed tests again, and only these."""

import json
import re
import tomllib

import pytest

OWN_TESTS = """
from pathlib import Path

def test_that_fails_once():
    marker = Path("failed_before")
    failed_before = marker.exists()
    marker.touch()
    assert failed_before

def test_that_passes():
    pass
"""


def test_only_the_failed_tests_run_again(
    pytester: pytest.Pytester, pytestconfig: pytest.Config
) -> None:
    makefile = (pytestconfig.rootpath / "Makefile").read_text()
    [again] = re.findall(r"^FAILED_AGAIN := (.*)$", makefile, re.MULTILINE)
    project = tomllib.loads((pytestconfig.rootpath / "pyproject.toml").read_text())
    addopts = json.dumps(project["tool"]["pytest"]["ini_options"]["addopts"])
    pytester.makepyprojecttoml(f"[tool.pytest.ini_options]\naddopts = {addopts}")
    pytester.makepyfile(OWN_TESTS)
    pytester.runpytest_inprocess().assert_outcomes(passed=1, failed=1)
    pytester.runpytest_inprocess(*again.split()).assert_outcomes(passed=1)
    nothing_failed = pytester.runpytest_inprocess(*again.split())
    assert nothing_failed.ret == pytest.ExitCode.NO_TESTS_COLLECTED
