"""pytest-celery's fixtures with the image of this project.

Redis has a password and a disk. Each pool has two containers, which count as hosts, and a third
one with a wrong clock.
"""

import os
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from pytest_celery import (
    CeleryBackendCluster,
    CeleryBrokerCluster,
    CeleryTestWorker,
    CeleryWorkerCluster,
    CeleryWorkerContainer,
    RedisContainer,
    RedisTestBackend,
    RedisTestBroker,
)
from pytest_docker_tools import container, fxtr, volume

from poolrace.workers.pools import POOLS
from tests.cluster.conftest import IMAGE
from tests.cluster.containers.runs import SLOTS

DEPLOY = Path(__file__).parents[3] / "deploy"
REDIS_IMAGE = os.environ.get("REDIS_IMAGE", "redis:8.0")
PASSWORD = "only-for-tests"

TOOLS = "poolrace-test-tools"
"""Name of the image of this project with tools that disturb packets and clocks."""

AN_HOUR_AHEAD = {
    "LD_PRELOAD": "/usr/lib/libfaketimeMT.so.1",
    "FAKETIME": "+1h",
    "FAKETIME_DONT_FAKE_MONOTONIC": "1",
}

HARDENED: dict[str, Any] = {
    "network": "{default_pytest_celery_network.name}",
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
    "read_only": True,
    "restart_policy": {"Name": "unless-stopped"},
    "timeout": 60,
}


class ProjectRedis(RedisContainer):  # type: ignore[misc] # ships no types
    """Redis as in docker-compose.yml; the tests reach it by its published port."""

    @classmethod
    def image(cls) -> str:
        return REDIS_IMAGE

    @property
    def port(self) -> int:
        [bound] = self.attrs["HostConfig"]["PortBindings"]["6379/tcp"]
        return int(bound["HostPort"])

    @property
    def host_url(self) -> str:
        return f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"

    @property
    def url(self) -> str:
        return f"redis://:{PASSWORD}@{self.hostname}:6379/0"


class ProjectWorker(CeleryWorkerContainer):  # type: ignore[misc] # ships no types
    """``python -m poolrace.workers POOL`` in the image of this project."""

    @classmethod
    def initial_env(
        cls, celery_worker_cluster_config: dict[str, Any], initial: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        env = super().initial_env(celery_worker_cluster_config, initial)
        env.pop("PYTHONPATH", None)  # it points at code of pytest-celery in a volume
        return {
            **env,
            "POOLRACE_HEARTBEAT_FILE": "/tmp/heartbeat",
        }


def _redis(role: str) -> Any:
    """A fixture with a fixed port: Docker gives a restarted container a new one otherwise."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return container(
        **HARDENED,
        image=REDIS_IMAGE,
        user="redis",
        entrypoint=["sh", "/etc/poolrace/redis.sh"],
        environment={"POOLRACE_REDIS_PASSWORD": PASSWORD},
        ports={"6379/tcp": ("127.0.0.1", port)},
        volumes={
            f"{{redis_{role}_data.name}}": {"bind": "/data"},
            str(DEPLOY / "redis.conf"): {"bind": "/etc/poolrace/redis.conf", "mode": "ro"},
            str(DEPLOY / "redis.sh"): {"bind": "/etc/poolrace/redis.sh", "mode": "ro"},
        },
        wrapper_class=ProjectRedis,
    )


redis_broker_data = volume()
redis_backend_data = volume()
default_redis_broker = _redis("broker")
default_redis_backend = _redis("backend")


@pytest.fixture
def celery_broker_cluster(default_redis_broker: ProjectRedis) -> CeleryBrokerCluster:
    """Redis only; by default a test would run with RabbitMQ, too."""
    return CeleryBrokerCluster(RedisTestBroker(default_redis_broker))


@pytest.fixture
def celery_backend_cluster(default_redis_backend: ProjectRedis) -> CeleryBackendCluster:
    """A second Redis server, so that the tests tell broker and result backend apart."""
    return CeleryBackendCluster(RedisTestBackend(default_redis_backend))


@pytest.fixture
def default_worker_container_cls() -> type[ProjectWorker]:
    return ProjectWorker


@pytest.fixture(scope="session")
def tools() -> str:
    """The name of the image ``TOOLS``, after it was built."""
    dockerfile = f"""
        FROM {IMAGE}
        USER 0:0
        RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends iptables \\
            libfaketime && ln -s /usr/lib/*/faketime/libfaketimeMT.so.1 /usr/lib/
        USER 10001:10001
    """
    finished = subprocess.run(
        ["docker", "build", "--quiet", "--tag", TOOLS, "-"],
        input=dockerfile,
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert finished.returncode == 0, finished.stderr
    return TOOLS


@pytest.fixture
def an_hour_ahead(default_worker_env: dict[str, str]) -> dict[str, str]:
    return {**default_worker_env, **AN_HOUR_AHEAD}


def _worker(pool: str, which: str, image: Any, environment: Any) -> Any:
    return container(
        **HARDENED,
        image=image,
        command=["python", "-m", "poolrace.workers", pool, "--slots", str(SLOTS[pool])],
        hostname=f"{pool}-{which}",
        environment=environment,
        tmpfs={"/tmp": "mode=1777,size=64m"},
        init=True,
        wrapper_class=ProjectWorker,
    )


for _pool in POOLS:
    for _number in "12":
        globals()[f"{_pool}_{_number}"] = _worker(_pool, _number, IMAGE, fxtr("default_worker_env"))
    globals()[f"{_pool}_ahead"] = _worker(_pool, "ahead", fxtr("tools"), fxtr("an_hour_ahead"))


@pytest.fixture
def hosts() -> tuple[str, ...]:
    """Fixture names of the containers of a test; tests override them by parametrisation."""
    return tuple(f"{pool}_1" for pool in POOLS)


@pytest.fixture
def celery_worker_cluster(
    request: pytest.FixtureRequest, hosts: tuple[str, ...], celery_setup_app: Celery
) -> CeleryWorkerCluster:
    containers = [request.getfixturevalue(host) for host in hosts]
    nodes = [CeleryTestWorker(container, app=celery_setup_app) for container in containers]
    return CeleryWorkerCluster(*nodes)
