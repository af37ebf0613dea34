"""A worker needs ``celery[redis]`` in its interpreter, and nothing else."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

import poolrace.workers
from poolrace.producer.cluster.hosts import make_library
from poolrace.workers import procfs
from poolrace.workers.errors import UsageError
from poolrace.workers.settings import read_dotenv
from tests.environments import WORKER, environment
from tests.unit.test_usage import BURN

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="/proc is that of Linux")

LAZY = {"msgspec", "psutil", "dotenv", "numpy", "gevent"}
"""Packages that workers use only where they are installed."""

IMPORT_ALL = """
import importlib, pkgutil, sys
import poolrace.workers as workers
names = [module.name for module in pkgutil.walk_packages(workers.__path__, "poolrace.workers.")]
for name in names:
    importlib.import_module(name)
print(*names, *(f"loaded:{name}" for name in sys.modules))
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter with celery[redis] and nothing else."""
    return environment(tmp_path_factory.mktemp("bare") / "environment", WORKER)


def run_bare(bare: Path, directory: Path, program: str) -> "subprocess.CompletedProcess[str]":
    library = make_library(directory)
    return subprocess.run(
        [bare, "-P", "-c", program],
        cwd=library,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(library)},
        capture_output=True,
        text=True,
        check=False,
    )


@LINUX
def test_all_modules_of_workers_import_with_celery_and_redis_alone(
    bare: Path, tmp_path: Path
) -> None:
    process = run_bare(bare, tmp_path, IMPORT_ALL)
    assert process.returncode == 0, process.stderr
    names = process.stdout.split()
    ours = Path(poolrace.workers.__file__).parent
    assert len([name for name in names if name.startswith("poolrace.")]) >= len(
        [path for path in ours.rglob("*.py") if path.name != "__init__.py"]
    )
    assert not {f"loaded:{package}" for package in LAZY} & set(names)


@LINUX
def test_the_command_of_a_worker_starts_with_celery_and_redis_alone(
    bare: Path, tmp_path: Path
) -> None:
    program = (
        "import sys, runpy; sys.argv = ['workers', 'threads'];"
        "runpy.run_module('poolrace.workers', run_name='__main__')"
    )
    process = run_bare(bare, tmp_path, program)
    assert "no broker is given" in process.stderr
    assert process.returncode == 3


def test_a_file_of_settings_that_cannot_be_read_without_its_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "dotenv", None)
    assert read_dotenv() == {}
    (tmp_path / ".env").touch()
    with pytest.raises(UsageError, match="python-dotenv is not installed"):
        read_dotenv()


@pytest.fixture
def child() -> Iterator[psutil.Process]:
    """A process with a child that has ended, and one that waits."""
    program = (
        f"import subprocess, sys; run = [sys.executable, '-S', '-c'];"
        f"subprocess.run([*run, {BURN!r}]);"
        "other = subprocess.Popen([*run, 'input()'], stdin=subprocess.PIPE);"
        "print('ready', flush=True); input(); other.communicate()"
    )
    with subprocess.Popen(
        [sys.executable, "-S", "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.readline()
        yield psutil.Process(process.pid)
        process.communicate(b"\n", timeout=20)


@LINUX
def test_our_reader_of_processes_agrees_with_psutil(child: psutil.Process) -> None:
    ours = procfs.Process(child.pid)
    theirs, times = child.cpu_times(), ours.cpu_times()
    assert ours.create_time() == pytest.approx(child.create_time(), abs=1.1)
    assert times.children_user == theirs.children_user > 0
    assert (times.user, times.system, times.children_system) == pytest.approx(
        (theirs.user, theirs.system, theirs.children_system), abs=0.05
    )
    assert [p.pid for p in ours.children()] == [p.pid for p in child.children()]
    of_this_process = {process.pid for process in procfs.Process().children(recursive=True)}
    assert {child.pid, *(p.pid for p in child.children())} <= of_this_process
    assert procfs.Process().pid == os.getpid()


@LINUX
def test_our_reader_of_the_machine_agrees_with_psutil() -> None:
    available = psutil.virtual_memory().available
    assert procfs.virtual_memory().available == pytest.approx(available, rel=0.2)
    assert os.getpid() in procfs.pids()


@LINUX
def test_a_process_that_has_ended_is_named() -> None:
    with subprocess.Popen([sys.executable, "-S", "-c", ""]) as process:
        process.wait()
    for call in ("cpu_times", "create_time", "children"):
        with pytest.raises(procfs.NoSuchProcess, match=str(process.pid)):
            getattr(procfs.Process(process.pid), call)()
