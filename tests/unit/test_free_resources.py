"""The limits of a machine are read from made-up files of the kernel."""

import os
import resource
from pathlib import Path

import pytest

from poolrace.workers import free_resources as module
from poolrace.workers.free_resources import GIB, MIB, Limit, free_resources
from poolrace.workers.procfs import Memory
from poolrace.workers.system import psutil

SYSTEM = {
    "/proc/loadavg": "0.50 0.40 0.30 2/1000 4711",
    "/proc/sys/kernel/pid_max": "32768",
    "/proc/sys/kernel/threads-max": "200000",
    "/proc/sys/vm/max_map_count": "65530",
    "/proc/self/cgroup": "0::/user.slice/job",
}


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Made-up files by path, of a machine with 8 GiB of free memory and no limits of the user."""
    made_up = dict(SYSTEM)

    def read_text(path: Path, *_: object, **__: object) -> str:
        if str(path) not in made_up:
            raise FileNotFoundError(path)
        return made_up[str(path)]

    monkeypatch.setattr(Path, "read_text", read_text)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: Memory(8 * GIB))
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY,) * 2)
    return made_up


def limit_user(monkeypatch: pytest.MonkeyPatch, kind: int, soft: int, hard: int) -> None:
    """Set one limit of ``ulimit``; the others are unlimited."""
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    monkeypatch.setattr(
        resource, "getrlimit", lambda asked: (soft, hard) if asked == kind else unlimited
    )


@pytest.mark.usefixtures("files")
def test_without_a_control_group_the_limits_of_the_system_count() -> None:
    free = free_resources()
    assert free.memory_bytes == Limit(int(0.9 * 8 * GIB), "90% of the free memory")
    assert free.tasks == Limit(31_768, "pid_max, less those that run")
    assert free.mappings == Limit(65_530, "vm.max_map_count")
    assert free.redis_clients == Limit(10_000, "maxclients of Redis")


@pytest.mark.parametrize("group", ["user.slice/job", "user.slice", ""])
def test_the_limits_of_every_control_group_around_the_process_count(
    group: str, files: dict[str, str]
) -> None:
    directory = f"/sys/fs/cgroup/{group}".rstrip("/")
    files[f"{directory}/memory.max"] = str(512 * MIB)
    files[f"{directory}/memory.current"] = str(300 * MIB)
    files[f"{directory}/memory.stat"] = f"anon 1\ninactive_file {88 * MIB}\n"
    files[f"{directory}/pids.max"] = "512"
    files[f"{directory}/pids.current"] = "12"
    free = free_resources()
    assert free.memory_bytes == Limit(
        int(0.9 * 300 * MIB), "90% of the free memory in the control group"
    )
    assert free.tasks == Limit(500, "pids.max of the control group, less those that run")


def test_a_control_group_without_limits_sets_none(files: dict[str, str]) -> None:
    files["/sys/fs/cgroup/user.slice/memory.max"] = "max"
    files["/sys/fs/cgroup/user.slice/memory.current"] = str(GIB)
    files["/sys/fs/cgroup/user.slice/pids.max"] = "max"
    files["/sys/fs/cgroup/user.slice/pids.current"] = "9"
    assert free_resources().memory_bytes.name == "90% of the free memory"
    assert free_resources().tasks.name == "pid_max, less those that run"


def test_control_groups_of_version_1_count_in_the_directory_of_each_controller(
    files: dict[str, str],
) -> None:
    files["/proc/self/cgroup"] = "8:pids:/job\n4:cpu,memory:/elsewhere\n0::/"
    files["/sys/fs/cgroup/pids/job/pids.max"] = "100"
    files["/sys/fs/cgroup/pids/job/pids.current"] = "40"
    files["/sys/fs/cgroup/memory/memory.limit_in_bytes"] = str(GIB)
    files["/sys/fs/cgroup/memory/memory.usage_in_bytes"] = "0"
    free = free_resources()
    assert free.tasks.number == 60
    assert free.memory_bytes.number == int(0.9 * GIB)


def test_used_up_limits_leave_nothing(files: dict[str, str]) -> None:
    files["/proc/sys/kernel/pid_max"] = "999"
    files["/sys/fs/cgroup/memory.max"] = str(MIB)
    files["/sys/fs/cgroup/memory.current"] = str(2 * MIB)
    assert free_resources().tasks.number == 0
    assert free_resources().memory_bytes.number == 0


@pytest.mark.usefixtures("files")
def test_the_open_files_of_a_process_and_of_redis_count(monkeypatch: pytest.MonkeyPatch) -> None:
    limit_user(monkeypatch, resource.RLIMIT_NOFILE, 256, 1032)
    assert free_resources().open_files == Limit(256, "ulimit -n")
    assert free_resources().redis_clients.number == 1000


@pytest.mark.usefixtures("files")
def test_the_virtual_memory_of_a_process_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    limit_user(monkeypatch, resource.RLIMIT_AS, 4 * GIB, 4 * GIB)
    assert free_resources().address_bytes == Limit(4 * GIB, "ulimit -v")


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="without /proc processes count")
def test_only_the_processes_of_this_user_count_against_its_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limit_user(monkeypatch, resource.RLIMIT_NPROC, 20_000, 20_000)
    monkeypatch.setattr(os, "geteuid", lambda: Path("/proc/self/task").stat().st_uid)
    own = module._tasks_of_user()
    assert 1 <= own <= module._all_tasks() + 50
    monkeypatch.setattr(module, "_tasks_of_user", lambda: 19_000)
    assert free_resources().tasks == Limit(1_000, "ulimit -u, less those that run")


def test_without_proc_the_known_limits_count(files: dict[str, str]) -> None:
    files.clear()
    free = free_resources()
    assert free.tasks == free.mappings == module.UNLIMITED
    assert free.memory_bytes.number == int(0.9 * 8 * GIB)
