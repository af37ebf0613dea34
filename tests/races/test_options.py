"""Other options of a race: workers, prefetch, limits of children, memory, environments."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import CommandLine
from tests.in_process import InProcess
from tests.races.project import by_name, race, race_processes


@pytest.mark.timing
def test_several_workers_and_prefetch_multipliers_are_raced(project: CommandLine) -> None:
    answer = race(
        project, "proj.nap", "[0.05]\n", "--pool", "threads:4", "--workers", "1,2",
        "--prefetch", "1,8",
    )  # fmt: skip
    candidates = by_name(answer)
    assert candidates.keys() == {
        "threads prefetch=1", "threads prefetch=8",
        "threads workers=2 prefetch=1", "threads workers=2 prefetch=8",
    }  # fmt: skip
    one, two = (candidates[f"threads{workers} prefetch=1"] for workers in ("", " workers=2"))
    assert one["items_per_s"] == pytest.approx(4 / 0.05, rel=0.3)
    assert one["running_s"]["p50"] == pytest.approx(0.05, rel=0.3)
    assert two["items_per_s"] == pytest.approx(2 * one["items_per_s"], rel=0.3)
    assert two["peak_memory_bytes"] > 1.5 * one["peak_memory_bytes"]
    assert answer.json()["fastest"]["workers"] == 2
    command = answer.json()["worker_command"]
    assert command.startswith("seq 2 | xargs -P 2 ")
    assert command.endswith("--hostname 'worker{}@%h'")


def test_a_race_leaves_no_file_in_the_directory_for_temporary_files(project: CommandLine) -> None:
    temporary_files = project.directory / "tmp"
    temporary_files.mkdir()
    project.variables["TMPDIR"] = str(temporary_files)
    answer = race(project, "proj.nap", "[0.01]\n", "--pool", "prefork:2")
    assert answer.code == 0, answer.err
    assert list(temporary_files.iterdir()) == []


@pytest.mark.timing
def test_children_that_end_after_each_item_are_measured_as_slower(project: CommandLine) -> None:
    answer = race(
        project, "proj.compute", "[100000]\n", "--pool", "prefork:2",
        "--max-tasks-per-child", "1,100",
    )  # fmt: skip
    candidates = by_name(answer)
    often, seldom = (candidates[f"prefork max_tasks={number}"] for number in (1, 100))
    assert often["items_per_s"] < 0.8 * seldom["items_per_s"]
    assert often["cpu_s_per_item"] > seldom["cpu_s_per_item"]
    assert "--max-tasks-per-child 100" in answer.json()["worker_command"]


def test_a_search_stays_within_the_memory_limit(project: CommandLine) -> None:
    answer = race(
        project, "proj.nap", "[0.2]\n", "--pool", "prefork", "--max-memory", "200M",
        "--budget-s", "120", "--out", "r.json",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    verdict = answer.json()
    # The first ones may be faster, and have a lap of the search that took too much memory.
    fastest = next(candidate for candidate in verdict["candidates"] if candidate["laps"] > 2)
    assert fastest["concurrency"] == verdict["fastest"]["concurrency"] >= 2
    assert fastest["peak_memory_bytes"] <= 200 * 2**20
    assert verdict["limited_by"] == "memory"
    report = project("report", "r.json").out
    assert "because more slots would exceed the memory limit" in report


@pytest.fixture(scope="session")
def other_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with an older Celery, and without poolrace and gevent."""
    directory = tmp_path_factory.mktemp("environment")
    # Without a pip of its own, which takes several seconds of CPU time to install.
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", directory], check=True)
    python: Path = directory / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    install = [*pip, "install", "--quiet", "celery[redis]==5.3.*", "kombu==5.3.*"]
    subprocess.run(install, check=True, timeout=300)
    return python


@pytest.mark.timeout(400)  # the first of them installs the environment
def test_an_app_in_another_environment_runs_with_the_celery_of_that_environment(
    other_environment: Path, project: CommandLine
) -> None:
    answer = race(
        project, "proj.nap", "[0.02]\n", "--python", str(other_environment),
        "--pool", "prefork:1", "--pool", "prefork:4", "--out", "r.json",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    verdict = answer.json()
    assert verdict["fastest"]["concurrency"] == 4
    assert shlex.split(verdict["worker_command"])[:3] == [str(other_environment), "-m", "celery"]
    assert "celery 5.3." in project("report", "r.json").out
    assert race_processes(project) == []


@pytest.mark.timeout(400)
def test_a_pool_that_the_other_environment_lacks_is_refused(
    other_environment: Path, project_in_process: InProcess
) -> None:
    options = ("--python", str(other_environment), "--pool", "gevent:8")
    answer = race(project_in_process, "proj.nap", "[0]\n", *options)
    assert (answer.code, answer.out) == (2, "")
    assert "install gevent there" in answer.err
