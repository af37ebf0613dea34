"""A command imports what it uses: 'producer run' ends within 0.3 s beside a running cluster."""

import subprocess
import sys

import pytest

from tests.unit.made_up_comparisons import ROOT

NOT_USED = [
    "rich.console",
    "poolrace.producer.reports.views.view",
    "poolrace.producer.reports.charts",
    "poolrace.producer.reports.page",
    "poolrace.producer.cluster.lifecycle",
]
"""Modules that 'producer run' does not use beside a running cluster; together they take 0.2 s."""


@pytest.fixture(scope="module")
def imported() -> set[str]:
    code = (
        "import sys; import poolrace.producer.__main__, poolrace.producer.commands.run;"
        " import poolrace.producer.executors.celery.pool; print(*sys.modules)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


@pytest.mark.parametrize("name", NOT_USED)
def test_a_run_on_a_cluster_imports_no_report_and_no_progress_bar(
    name: str, imported: set[str]
) -> None:
    assert not {module for module in imported if f"{module}.".startswith(f"{name}.")}


def test_the_modules_that_a_run_uses_are_known_by_these_names(imported: set[str]) -> None:
    assert {"poolrace.producer.reports.views.run", "poolrace.producer.cluster.resolve"} <= imported
