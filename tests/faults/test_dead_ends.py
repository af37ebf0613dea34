"""Faults that last: the run fails with an error that names the way out, and can be resumed."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from poolrace.producer.broker.checkpoint_store import OWNER_EXPIRE_S, owner_key
from poolrace.producer.broker.client import TimedRetry, connect
from poolrace.producer.broker.workers import present_workers
from poolrace.producer.cluster.lifecycle import temporary
from poolrace.producer.cluster.state import Cluster
from poolrace.producer.executors.celery.messages import Messages
from poolrace.producer.experiments.saved_jobs import saved_jobs
from poolrace.producer.jobs.job import Job
from poolrace.producer.settings import Settings
from poolrace.workers.chunks import Chunk
from poolrace.workers.errors import ClusterError
from poolrace.workers.protocol import queue_of
from poolrace.workers.workloads import make_workload
from tests.conftest import CommandLine, wait_until
from tests.faults.faults import additional_worker, cut_others

if TYPE_CHECKING:
    import redis

PATIENCE_S = 6
"""Seconds of patience; longer than a killed worker seems to be present (``SILENT_S``)."""
LONG = (
    "run", "mixed", "--pool", "solo", "--cpu-s", "0", "--wait-s", "0.05", "--stop", "100",
    "--chunk-size", "5", "--json",
)  # fmt: skip

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A Redis without workers; no supervisor restarts workers that tests start."""
    with temporary(Settings(state_dir=tmp_path_factory.mktemp("state")), {}) as running:
        yield running


@pytest.fixture
def producer(tmp_path: Path, bare: Cluster) -> Iterator[CommandLine]:
    variables = {"CELERY_BROKER_URL": bare.broker_url, "POOLRACE_PATIENCE_S": str(PATIENCE_S)}
    with CommandLine(tmp_path, variables) as command_line:
        yield command_line


@pytest.fixture
def store(bare: Cluster) -> Iterator["redis.Redis"]:
    with connect(bare.broker_url) as client:
        yield client


def done_part(bare: Cluster) -> float:
    jobs = saved_jobs(Settings(broker_url=bare.broker_url))
    return jobs[0].done if jobs and jobs[0].state == "running" else 0.0


def assert_resumes(producer: CommandLine, err: str, store: "redis.Redis") -> None:
    """Assert that the command in the error message resumes the job."""
    command, job = err.split("continue with: producer ")[1].split()[:2]
    wait_until(lambda: not store.exists(owner_key(job)), OWNER_EXPIRE_S + 2)
    resumed = producer(command, job, "--json")
    assert resumed.code == 0, resumed.err
    assert resumed.json()["exact"]
    assert resumed.json()["resumed"] > 0


def test_a_run_without_workers_ends_and_can_be_resumed(
    producer: CommandLine, bare: Cluster, store: "redis.Redis"
) -> None:
    with additional_worker(bare, "solo", "first") as worker:
        wait_until(lambda: present_workers(store))
        process = producer.start(*LONG)
        wait_until(lambda: done_part(bare) > 0.2)
        worker.kill()
        _, err = process.communicate(timeout=60)  # with the default patience it would take longer
    assert process.returncode == 3
    assert "no worker consumes the queue of pool 'solo'" in err
    with additional_worker(bare, "solo", "second"):
        wait_until(lambda: present_workers(store))
        assert_resumes(producer, err, store)


def test_a_message_to_a_redis_with_another_password_ends_with_that_reason(
    bare: Cluster, store: "redis.Redis"
) -> None:
    """Not only results, of which the run hears first most of the time."""
    job = Job(make_workload("sum", {}), 0, 10)
    right = str(store.config_get("requirepass")["requirepass"])
    settings = Settings(broker_url=bare.broker_url)
    with (
        connect(bare.broker_url) as results,
        Messages(job, "made-up", settings, results, TimedRetry(0.1)) as messages,
    ):
        messages.send([(Chunk(0, 1),)])
        store.config_set("requirepass", "another")
        try:
            cut_others(store)
            with pytest.raises(ClusterError, match="refuses the password"):
                messages.send([(Chunk(1, 2),)])
        finally:
            store.config_set("requirepass", right)
    store.delete(queue_of("made-up"))


def test_a_run_ends_when_redis_changes_its_password(
    producer: CommandLine, bare: Cluster, store: "redis.Redis"
) -> None:
    """Connected clients stay connected; the test closes all connections."""
    right = str(store.config_get("requirepass")["requirepass"])
    with additional_worker(bare, "solo", "first"):
        wait_until(lambda: present_workers(store))
        process = producer.start(*LONG)
        wait_until(lambda: done_part(bare) > 0.2)
        store.config_set("requirepass", "another")
        try:
            cut_others(store)
            _, err = process.communicate(timeout=60)
        finally:
            store.config_set("requirepass", right)
        assert process.returncode == 3
        assert "refuses the password" in err
        assert right not in err
        wait_until(lambda: present_workers(store))
        assert_resumes(producer, err, store)
