"""Jobs outlive their producer: they are listed, resumed without repeated work, and cancelled."""

import json
import re
import signal
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from poolrace.producer.broker.checkpoint_store import INDEX_KEY, OWNER_EXPIRE_S, job_key, owner_key
from poolrace.producer.experiments.saved_jobs import saved_jobs
from poolrace.producer.settings import Settings
from poolrace.workers.pools import POOLS
from poolrace.workers.protocol import queue_of
from tests.conftest import Answer, CommandLine, held_chunks, wait_until
from tests.faults.faults import stopped

if TYPE_CHECKING:
    import subprocess

    import redis

STOP = 140
LONG = (
    "run", "mixed", "--cpu-s", "0", "--wait-s", "0.05", "--stop", str(STOP), "--slots", "1",
    "--json",
)  # fmt: skip
"""A run that takes seven seconds on one slot."""


def newest(producer: CommandLine) -> dict[str, Any]:
    """The newest saved job, in the form of ``producer jobs --json``."""
    jobs = saved_jobs(Settings(broker_url=producer.variables["CELERY_BROKER_URL"]))
    return jobs[0].to_json() if jobs else {"job": None, "done": 0.0}


def start_job(
    producer: CommandLine, *more: str, part: float, chunk: int = 10
) -> "subprocess.Popen[str]":
    """A run in chunks of ``chunk`` indices; at least ``part`` of its job is saved."""
    before = newest(producer)["job"]
    process = producer.start(*LONG, "--chunk-size", str(chunk), *more)
    wait_until(lambda: newest(producer)["job"] != before)
    wait_until(lambda: newest(producer)["done"] >= part)
    assert process.poll() is None, newest(producer)
    return process


def wait_for_end(process: "subprocess.Popen[str]") -> Answer:
    out, err = process.communicate(timeout=60)
    return Answer(process.returncode, out, err)


@pytest.mark.parametrize(
    ("pool", "part", "chunk"),
    [("prefork", 0.0, 20), ("threads", 0.4, 10), ("gevent", 0.5, STOP // 2), ("solo", 0.2, 10)],
    ids=["first chunk", "middle", "last chunk", "early"],
)
def test_the_job_of_a_killed_producer_is_resumed(
    pool: str, part: float, chunk: int, producer_on_cluster: CommandLine, store: "redis.Redis"
) -> None:
    process = start_job(producer_on_cluster, "--pool", pool, part=part, chunk=chunk)
    process.kill()
    process.communicate()
    saved = newest(producer_on_cluster)
    wait_until(lambda: not store.exists(owner_key(saved["job"])), OWNER_EXPIRE_S + 2)
    listed = producer_on_cluster("jobs", "--json").json()["jobs"]
    assert listed[0] == {**saved, "state": "lost", "producer": None}
    assert f"{saved['job']}  lost" in producer_on_cluster("jobs").out

    answer = producer_on_cluster("resume", saved["job"], "--json")
    assert answer.code == 0, answer.err
    run = answer.json()
    assert run["exact"]
    assert run["job"] == saved["job"]
    assert run["intervals"] == [[0, STOP]]
    assert run["resumed"] == round(saved["done"] * STOP)
    computed = sum(share["indices"] for slots in run["shares"].values() for share in slots.values())
    assert computed == STOP - run["resumed"]
    assert newest(producer_on_cluster)["state"] == "finished"
    wait_until(lambda: store.llen(queue_of(pool)) == 0 and not held_chunks(store, pool))


def test_ctrl_c_prints_the_command_that_resumes_the_job(producer_on_cluster: CommandLine) -> None:
    process = start_job(producer_on_cluster, "--pool", "threads", part=0.1)
    process.send_signal(signal.SIGINT)
    interrupted = wait_for_end(process)
    assert interrupted.code == 130
    job = newest(producer_on_cluster)
    assert re.fullmatch(
        r"\nproducer: interrupted; \d+\.\d % of the job is done and saved;"
        rf" continue with: producer resume {job['job']}\n",
        interrupted.err,
    )
    assert (job["state"], job["error"]) == ("interrupted", "interrupted with Ctrl-C")
    answer = producer_on_cluster("resume", job["job"])
    assert answer.code == 0, answer.err
    assert "indices done before" in answer.out


def test_a_producer_that_was_stopped_for_long_changes_no_resumed_job(
    producer_on_cluster: CommandLine, store: "redis.Redis"
) -> None:
    process = start_job(producer_on_cluster, "--pool", "gevent", part=0.1)
    job = newest(producer_on_cluster)["job"]
    with stopped(psutil.Process(process.pid)):
        wait_until(lambda: not store.exists(owner_key(job)), OWNER_EXPIRE_S + 2)
        resumed = producer_on_cluster("resume", job, "--json")
        assert resumed.json()["exact"], resumed.err
        finished = newest(producer_on_cluster)
        assert (finished["state"], finished["done"]) == ("finished", 1.0)
    late = wait_for_end(process)
    assert late.code == 2
    assert f"job {job} was resumed by another producer, and is finished there" in late.err
    assert "producer resume" not in late.err
    assert newest(producer_on_cluster) == finished


def test_a_job_with_a_producer_cannot_be_resumed(
    producer_on_cluster: CommandLine,
) -> None:
    process = start_job(producer_on_cluster, "--pool", "solo", part=0.1)
    job = newest(producer_on_cluster)["job"]
    refused = producer_on_cluster("resume", job)
    assert refused.code == 2
    assert f"is run by process {process.pid}@" in refused.err
    assert wait_for_end(process).json()["exact"]
    finished = producer_on_cluster("resume", job)
    assert finished.code == 2
    assert "is finished" in finished.err


@pytest.mark.parametrize("pool", POOLS)
def test_cancel_ends_the_job_and_its_producer(
    pool: str, producer_on_cluster: CommandLine, store: "redis.Redis"
) -> None:
    """A job of minutes: it would end by itself only long after it is cancelled."""
    process = start_job(producer_on_cluster, "--pool", pool, "--stop", "4000", part=0.005)
    job = newest(producer_on_cluster)["job"]
    answer = producer_on_cluster("cancel", job)
    assert answer.code == 0, answer.err
    assert f"job {job} is cancelled" in answer.out
    run = wait_for_end(process)
    assert run.code == 1
    assert f"job {job} was cancelled" in run.err
    assert newest(producer_on_cluster)["state"] == "cancelled"
    wait_until(lambda: store.llen(queue_of(pool)) == 0 and not held_chunks(store, pool))
    for command in ("cancel", "resume"):
        again = producer_on_cluster(command, job)
        assert again.code == 2
        assert "cancelled" in again.err


def test_a_full_redis_ends_the_run_after_its_patience_and_the_job_can_be_resumed(
    producer_on_cluster: CommandLine, store: "redis.Redis"
) -> None:
    producer_on_cluster.variables["POOLRACE_PATIENCE_S"] = "3"
    process = start_job(producer_on_cluster, "--pool", "threads", part=0.1)
    job = newest(producer_on_cluster)["job"]
    store.config_set("maxmemory", "1mb")
    try:
        run = wait_for_end(process)
    finally:
        store.config_set("maxmemory", "0")
    assert run.code == 3
    assert "maxmemory" in run.err
    assert f"producer resume {job}" in run.err
    wait_until(lambda: not store.exists(owner_key(job)), OWNER_EXPIRE_S + 2)
    resumed = producer_on_cluster("resume", job, "--json")
    assert resumed.json()["exact"], resumed.err
    assert resumed.json()["resumed"] > 0


def test_an_unreadable_job_does_not_hide_the_others(
    producer_on_cluster: CommandLine, store: "redis.Redis"
) -> None:
    assert producer_on_cluster("run", "sum", "--stop", "10", "--pool", "solo").code == 0
    job = newest(producer_on_cluster)["job"]
    whole = json.loads(store.get(job_key(job)) or "null")
    damages = {"intervals": [[5, 3]]}, {"slots": "x"}, {"start": 1, "intervals": [[0, 1_000_000]]}
    texts = ["{", "[1]", *(json.dumps({**whole, **damage}) for damage in damages)]
    broken = [f"bad{number:09}" for number in range(len(texts))]
    for name, text in zip(broken, texts, strict=True):
        store.set(job_key(name), text.replace(job, name), ex=60)
        store.sadd(INDEX_KEY, name)
    answer = producer_on_cluster("jobs")
    assert answer.code == 0
    for name in broken:
        assert f"job {name} cannot be read and is not listed" in answer.err
    assert job in answer.out
    for command, name in zip(("resume", "cancel", "resume", "cancel", "resume"), broken,
                             strict=True):  # fmt: skip
        refused = producer_on_cluster(command, name)
        assert refused.code == 2
        [line] = refused.err.splitlines()
        assert f"job {name} cannot be read" in line


def test_an_unknown_job_is_refused_with_the_command_that_lists_jobs(
    producer_on_cluster: CommandLine,
) -> None:
    for command in ("resume", "cancel"):
        answer = producer_on_cluster(command, "no-such-job")
        assert answer.code == 2
        assert "there is no job 'no-such-job'; see: producer jobs" in answer.err


@pytest.mark.parametrize("line", ["jobs", "resume abc", "cancel abc"])
def test_job_commands_without_a_cluster_name_the_command_that_starts_one(
    line: str, producer: CommandLine
) -> None:
    answer = producer(*line.split())
    assert answer.code == 3
    assert "start a cluster with" in answer.err


def test_a_failed_run_on_a_temporary_cluster_does_not_mention_resume(producer: CommandLine) -> None:
    process = producer.start(*LONG, "--pool", "solo", "--time-limit", "0.01")
    failed = wait_for_end(process)
    assert failed.code == 1
    assert "limit of 0.01 s" in failed.err
    assert "resume" not in failed.err


def test_a_time_limit_is_refused_for_local_models(producer: CommandLine) -> None:
    answer = producer("run", "sum", "--local", "single", "--time-limit", "1")
    assert answer.code == 2
    assert "--time-limit" in answer.err
