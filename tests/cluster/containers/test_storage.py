"""Redis on a full disk: it refuses writes until there is space again."""

import time
from contextlib import ExitStack

import pytest
import redis
from pytest_celery import CeleryTestSetup
from pytest_docker_tools import volume

from poolrace.workers.pools import POOLS
from tests.cluster.conftest import docker
from tests.cluster.containers.runs import hosts_of, in_the_middle
from tests.conftest import wait_until
from tests.run_in_thread import assert_exact

SMALL = {"type": "tmpfs", "device": "tmpfs", "o": "size=8m,mode=1777"}

redis_broker_data = volume(driver="local", driver_opts=SMALL)
redis_backend_data = volume(driver="local", driver_opts=SMALL)

FULL_S = 5.0
"""Seconds during which the disks are full."""


@hosts_of(*POOLS)
@pytest.mark.timeout(400)
def test_a_run_waits_while_the_disk_is_full(celery_setup: CeleryTestSetup) -> None:
    """Both disks are full, of broker and result backend; workers keep the results meanwhile."""
    servers = [celery_setup.broker, celery_setup.backend]
    with ExitStack() as opened, in_the_middle(celery_setup, seconds=8) as progress:
        clients = [
            opened.enter_context(redis.Redis.from_url(server.config()["host_url"]))
            for server in servers
        ]
        for server in servers:
            fill = "! cat /dev/zero 2>/dev/null >/data/filler"
            docker("exec", server.container.id, "sh", "-c", fill)
        wait_until(lambda: all(map(_refuses, clients)), 20)
        since = time.monotonic()
        wait_until(lambda: time.monotonic() - since > FULL_S or not all(map(_refuses, clients)))
        assert all(map(_refuses, clients))
        assert not progress.future.done()
        for server in servers:
            docker("exec", server.container.id, "rm", "/data/filler")
    run = progress.run()
    assert_exact(run)
    assert not run.retries


def _refuses(client: "redis.Redis") -> bool:
    try:
        client.set("poolrace:test", 1, ex=1)
    except redis.ResponseError as error:
        return str(error).startswith("MISCONF")
    return False
