"""Numbers of slots, hosts and workers that the machine cannot hold are refused before a start."""

import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

import cluster
import compose
from poolrace.producer.commands import producer
from poolrace.producer.race import capacity as race_capacity
from poolrace.producer.race.capacity import require_candidates_fit
from poolrace.producer.results.candidate import Candidate
from poolrace.workers import capacity
from poolrace.workers.capacity import (
    Demand,
    cluster_demand,
    require_capacity,
    require_cluster,
    slots_demand,
    worker_demand,
)
from poolrace.workers.errors import UsageError
from poolrace.workers.free_resources import GIB, MIB, FreeResources, Limit, free_resources

LARGE = FreeResources()
"""A machine without any limit but those of a single process."""

SMALL = FreeResources(
    memory_bytes=Limit(GIB, "free memory"),
    tasks=Limit(500, "pid_max"),
    open_files=Limit(1024, "ulimit -n"),
    mappings=Limit(65_530, "vm.max_map_count"),
    redis_clients=Limit(992, "maxclients"),
)


def use(monkeypatch: pytest.MonkeyPatch, free: FreeResources) -> None:
    """Let all callers find a machine with these resources."""
    for module in (capacity, race_capacity):
        monkeypatch.setattr(module, "free_resources", lambda: free)


@pytest.mark.parametrize(
    ("free", "slot", "slots", "message"),
    [
        (SMALL, "process", 65, r"1,040 MiB of memory.*1,024 MiB \(free memory\); give at most 64"),
        (
            replace(LARGE, open_files=Limit(128, "ulimit -n")), "process", 9,
            r"136 open files in one process.*limit is 128 \(ulimit -n\); give at most 8",
        ),
        (SMALL, "thread", 501, r"501 processes and threads.*is 500 \(pid_max\); give at most 500"),
        (
            replace(LARGE, mappings=SMALL.mappings), "thread", 32_266,
            r"65,532 memory mappings in one.*65,530 \(vm\.max_map_count\); give at most 32,265",
        ),
        (SMALL, "interpreter", 65, r"1,040 MiB of memory.*give at most 64"),
        (LARGE, "greenlet", 100_001, r"100,001 greenlets or coroutines.*give at most 100,000"),
        (
            replace(LARGE, memory_bytes=Limit(MIB, "memory")), "process", 1,
            "16 MiB.*; end other programs$",
        ),
    ],
)  # fmt: skip
def test_the_message_has_the_number_the_reason_and_the_largest_number(
    free: FreeResources, slot: str, slots: int, message: str
) -> None:
    with pytest.raises(UsageError, match=rf"^it needs {message}"):
        require_capacity("it", slots, "slots", partial(slots_demand, slot), free)


@pytest.mark.parametrize("kind", ["process", "thread", "interpreter", "greenlet"])
def test_the_largest_number_of_the_message_is_accepted_and_the_next_one_is_not(kind: str) -> None:
    demand_of = partial(slots_demand, kind)
    with pytest.raises(UsageError) as refused:
        require_capacity("it", 10**6, "slots", demand_of, SMALL)
    most = int(str(refused.value).split("at most ")[1].split()[0].replace(",", ""))
    require_capacity("it", most, "slots", demand_of, SMALL)
    with pytest.raises(UsageError):
        require_capacity("it", most + 1, "slots", demand_of, SMALL)


def test_the_virtual_memory_of_stacks_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "stack_bytes", lambda: 8 * MIB)
    free = replace(LARGE, address_bytes=Limit(4 * GIB, "ulimit -v"))
    with pytest.raises(UsageError, match=r"virtual memory.*ulimit -v.*give at most 448 slots"):
        require_capacity("it", 449, "slots", partial(slots_demand, "thread"), free)


def test_the_most_scarce_resource_is_named() -> None:
    free = replace(SMALL, tasks=Limit(2, "pids.max"))
    with pytest.raises(UsageError, match=r"1,000 processes and threads.*pids\.max.*at most 2 "):
        require_capacity("it", 1000, "slots", partial(slots_demand, "process"), free)


def test_all_pools_and_hosts_of_a_cluster_count_together(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, SMALL)
    require_cluster({"prefork": 20, "gevent": 1000, "threads": 100})
    with pytest.raises(UsageError, match=r"^prefork:30 beside gevent:1000, threads:300, solo:1 ne"):
        require_cluster({"gevent": 1000, "threads": 300, "solo": 1, "prefork": 30})
    with pytest.raises(UsageError, match=r"^prefork:1 on 1,000,000 hosts .*at most 12 hosts$"):
        require_cluster({"prefork": 1}, 10**6)
    require_cluster({"prefork": 1}, 12)


def test_the_supervisor_and_redis_limit_the_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, replace(LARGE, open_files=SMALL.open_files))
    with pytest.raises(UsageError, match=r"open files.*give at most 320 hosts"):
        require_cluster({"threads": 1}, 321)
    use(monkeypatch, replace(LARGE, redis_clients=SMALL.redis_clients))
    with pytest.raises(UsageError, match=r"connections to Redis.*give at most 90 hosts"):
        require_cluster({"prefork": 1}, 91)


def test_given_candidates_of_a_race_count_together(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, SMALL)
    require_candidates_fit([Candidate("prefork", 20)])
    two = [Candidate("prefork", 20), Candidate("prefork", 20, workers=2)]
    with pytest.raises(UsageError, match=r"^2 x prefork:20 beside prefork:20 .*at most 13 slots"):
        require_candidates_fit(two)
    with pytest.raises(UsageError, match=r"^30 x solo needs .*give at most 20 workers"):
        require_candidates_fit([Candidate("solo", 1, workers=30)])


def test_the_slots_of_a_worker_are_processes_threads_or_greenlets() -> None:
    solo = worker_demand("solo", 1)
    assert worker_demand("prefork", 4).tasks == solo.tasks + 4
    assert worker_demand("threads", 8).tasks == solo.tasks + 8
    assert worker_demand("gevent", 100).tasks == solo.tasks
    assert worker_demand("gevent", 100).greenlets == 100
    assert cluster_demand({"gevent": 100}, hosts=3).greenlets == 100
    assert worker_demand("solo", 1).times(3) == solo + solo + solo


@pytest.mark.parametrize(
    "pools", [{"gevent": 1000}, {"gevent": 10_000}, {"threads": 512}, {"prefork": 2, "gevent": 100}]
)
def test_this_machine_holds_large_numbers_that_are_in_use(pools: dict[str, int]) -> None:
    require_cluster(pools)


def test_the_limits_of_this_machine_are_read_within_a_fraction_of_a_second() -> None:
    assert free_resources().memory_bytes.number > 100 * MIB
    assert Demand() + Demand(tasks=1) == Demand(tasks=1)


def _refuse_start(*_: object, **__: object) -> None:
    raise AssertionError("a process was started")


RACE = "race -A tasks --task tasks.digest --items items.jsonl --yes"


@pytest.mark.parametrize(
    "line",
    [
        "run sum --local processes:1000000",
        "run sum --local processes --slots 1000000",
        "run sum --local threads:1000000",
        "run sum --local coroutines:1000000",
        "run sum --local greenlets:1000000",
        "run sum --pool prefork:1000000",
        "run sum --pool threads --slots 1e6",
        "run sum --pool gevent --slots 1000000",
        "compare sum --local single --local processes:1000000",
        "compare sum --local all:1000000",
        "compare sum --pool all:1000000",
        "sweep sum --pool prefork:1000000",
        "sweep sum --local threads:1000000",
        "scale sum --hosts 1,1000000",
        "scale sum --pool gevent:10 --hosts 1,1000000",
        "scale sum --local threads --slots 1,1000000",
        "scale sum --local processes:1000000",
        "scale sum --pool prefork --slots 1,1000000",
        "up --pool prefork:1000000",
        "up --pool solo --pool threads:1000000",
        "map --slots 2,1000000",
        f"{RACE} --pool prefork:1000000",
        f"{RACE} --workers 1,1000000",
        f"{RACE} --pool gevent:100 --workers 1000000",
    ],
)
def test_a_million_is_refused_before_anything_is_started(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("items.jsonl").write_text('{"args": [1]}\n')
    monkeypatch.setattr(subprocess.Popen, "__init__", _refuse_start)
    monkeypatch.setattr(BaseProcess, "start", _refuse_start)
    use(monkeypatch, SMALL)
    with pytest.raises(
        UsageError, match=r"1,?000,?000.*more than this machine can hold: the limit is .*; give at"
    ) as refused:
        producer.main(line.split(), standalone_mode=False)
    assert refused.value.exit_code == 2
    assert len(str(refused.value).splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["items.jsonl"]


@pytest.mark.parametrize(
    "line",
    [
        "run sum --local threads:{number}",
        "up --pool prefork:{number}",
        "race -A tasks --task tasks.digest --items items.jsonl --yes --pool gevent:{number}",
    ],
)
def test_a_number_of_thousands_of_digits_is_refused(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("items.jsonl").write_text('{"args": [1]}\n')
    with pytest.raises(UsageError, match="is not a number of slots; write"):
        producer.main(line.format(number="9" * 5000).split(), standalone_mode=False)


WORKER = ["-m", "poolrace.workers", "prefork"]


@pytest.mark.parametrize(
    ("command", "slots", "message"),
    [
        ([*WORKER, "--slots", "1000000"], "", "prefork:1000000 needs"),
        (WORKER, "1000000", "prefork:1000000 needs"),
        (WORKER, "9" * 5000, "POOLRACE_SLOTS: '999"),
        (["deploy/cluster.py", "scale", "solo", "9" * 5000], "", "is not a number of hosts"),
    ],
    ids=["a worker", "a setting", "a setting of many digits", "make scale"],
)
def test_a_worker_and_make_refuse_large_numbers(
    command: list[str], slots: str, message: str
) -> None:
    answer = subprocess.run(
        [sys.executable, *command],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "CELERY_BROKER_URL": "redis://127.0.0.1:1/0", "POOLRACE_SLOTS": slots},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.returncode == 2
    assert message in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


def test_make_scale_refuses_hosts_beyond_those_that_run(monkeypatch: pytest.MonkeyPatch) -> None:
    scaled: list[str] = []
    monkeypatch.setattr(cluster, "_require_containers", lambda *_: None)
    monkeypatch.setattr(compose, "hosts_of", lambda _: 3)
    monkeypatch.setattr(compose, "scale", lambda _, hosts: scaled.append(hosts))
    use(monkeypatch, SMALL)
    for hosts in ("1000000", "24"):
        with pytest.raises(UsageError, match=rf"^make scale POOL=solo N={hosts} .*most 23 hosts"):
            cluster.main(["scale", "solo", hosts], standalone_mode=False)
    for hosts in ("23", "0"):
        cluster.main(["scale", "solo", hosts], standalone_mode=False)
    assert scaled == ["23", "0"]
