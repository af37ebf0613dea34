"""pytest plugin: distributes the tests over parallel processes (``make test``).

The tests of a unit run one after the other in one process and share its clusters. A unit is a
file, a group of files that use the same cluster, or a single test of a file without fixtures that
are worth sharing. Long units come first, so that the processes end together.
"""

import pytest
from xdist.scheduler import LoadFileScheduling

GROUPS = {
    "hostile tasks": ("races/test_hostile_tasks",),
    "cluster of the jobs": ("faults/test_jobs",),
    "tour": ("integration/test_tour",),
    "cluster of the documents": (
        "integration/test_docs",
        "integration/test_celery_pool",
        "integration/test_worker_watch",
        "integration/test_watch",
        "integration/test_backend",
        "integration/test_refused_messages",
        "integration/test_worker_names",
        "integration/test_race_cleanup",
        "fundamentals/test_5_celery",
    ),
    "distributions": ("packaging/test_distributions", "packaging/test_beside_another_project"),
    "local cluster": ("integration/test_cluster",),
    "cluster of two interpreters": ("integration/test_interpreters_of_workers",),
    "cluster of all interpreters": ("integration/test_laws_of_interpreters",),
    "cluster of the command line": ("integration/test_cli",),
    "lost connections and data": (
        "faults/test_lost_connections",
        "faults/test_lost_redis",
        "faults/test_stopped_workers",
    ),
    "cluster of the models": (
        "integration/test_sweep_and_scale",
        "integration/test_every_model",
        "integration/test_interrupt",
        "integration/test_claims",
    ),
    "options of a race": ("races/test_options",),
    "paused hosts": ("integration/test_paused_hosts",),
    "stalled Redis, killed workers": (
        "faults/test_stalled_redis",
        "faults/test_killed_workers",
        "faults/test_stray_workers",
    ),
    "fatal chunks": ("faults/test_fatal_chunks",),
}
"""Unit -> its files, below ``tests/``; the longest unit first. Each starts its clusters once."""

SINGLY = ("races/test_race", "races/test_examples", "races/test_apps", "races/test_apps_in_pools")
"""Files whose tests are units of their own."""

UNITS = {f"tests/{file}.py": unit for unit, files in GROUPS.items() for file in files}
FIRST = {file: place for place, file in enumerate(UNITS)}


def unit_of(nodeid: str) -> str:
    """The unit of a test."""
    file = nodeid.partition("::")[0]
    if file.removeprefix("tests/").removesuffix(".py") in SINGLY:
        return nodeid
    return UNITS.get(file, file)


class UnitScheduling(LoadFileScheduling):  # type: ignore[misc] # xdist ships no types
    """Gives the next unit to the process that is the first to have no more tests."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> UnitScheduling | None:
    """Replace the scheduler of ``--dist loadfile``."""
    return UnitScheduling(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long units first."""
    items.sort(key=lambda item: FIRST.get(item.nodeid.partition("::")[0], len(FIRST)))
