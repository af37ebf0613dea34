"""The keys of a race in a given Redis are deleted when it ends, also when it is killed."""

import subprocess
import sys
from typing import TYPE_CHECKING

from poolrace.producer.cluster.state import Cluster
from poolrace.producer.race.cleanup import cleaned_up
from tests.conftest import wait_until

if TYPE_CHECKING:
    import redis

PREFIX = "poolrace-made-up-"
OTHER = "poolrace-other"
RACE = f"""
import sys
from poolrace.producer.race.cleanup import cleaned_up
with cleaned_up(sys.argv[1], {PREFIX!r}):
    print("started", flush=True)
    sys.stdin.read()
"""


def test_the_keys_of_a_killed_race_are_deleted_with_those_that_its_workers_still_write(
    cluster: Cluster, store: "redis.Redis"
) -> None:
    race = subprocess.Popen(
        [sys.executable, "-c", RACE, cluster.broker_url],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert race.stdout is not None
    assert race.stdout.readline() == b"started\n"
    store.set(f"{PREFIX}queue", 1)
    store.set(OTHER, 1, ex=60)
    race.kill()
    race.communicate()
    wait_until(lambda: not store.exists(f"{PREFIX}queue"))
    store.set(f"{PREFIX}binding", 1)
    wait_until(lambda: not store.exists(f"{PREFIX}binding"))
    assert store.delete(OTHER) == 1


def test_the_keys_are_deleted_when_a_race_ends(cluster: Cluster, store: "redis.Redis") -> None:
    with cleaned_up(cluster.broker_url, PREFIX):
        store.set(f"{PREFIX}queue", 1)
    assert not store.exists(f"{PREFIX}queue")
