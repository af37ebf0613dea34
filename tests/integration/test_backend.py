"""The result backend of the workers: many results at a time, each stored and told once."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from poolrace.producer.settings import Settings
from poolrace.workers.app import make_app
from poolrace.workers.errors import ResultTooLarge
from poolrace.workers.runtime.backend import MAX_BYTES, Backend
from tests.conftest import wait_until

if TYPE_CHECKING:
    import redis

THREADS, EACH = 16, 25


@pytest.fixture
def backend(with_cluster: Settings) -> Iterator[Backend]:
    with make_app(with_cluster) as app:
        assert isinstance(app.backend, Backend)
        yield app.backend


def store_many(backend: Backend, prefix: str) -> list[str]:
    """Store results from many threads at once; returns their task ids."""
    task_ids = [f"{prefix}.{number}" for number in range(THREADS * EACH)]
    together = threading.Barrier(THREADS)

    def store(mine: list[str]) -> None:
        together.wait()
        for task_id in mine:
            backend.store_result(task_id, {"value": task_id}, "SUCCESS")

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(store, [task_ids[first::THREADS] for first in range(THREADS)]))
    return task_ids


def test_each_result_is_stored_expires_and_is_told_once(
    backend: Backend, store: "redis.Redis"
) -> None:
    heard: Counter[bytes] = Counter()
    with store.pubsub(ignore_subscribe_messages=True) as subscription:
        subscription.psubscribe("celery-task-meta-together.*")
        task_ids = store_many(backend, "together")

        def all_heard() -> bool:
            while message := subscription.get_message(timeout=0.1):
                heard[message["channel"]] += 1
            return heard.total() >= len(task_ids)

        wait_until(all_heard)
    keys = [backend.get_key_for_task(task_id) for task_id in task_ids]
    assert heard == Counter(keys)
    for task_id, key in zip(task_ids, keys, strict=True):
        assert backend.get_result(task_id) == {"value": task_id}
        assert store.ttl(key) > 0
    store.delete(*keys)


def test_threads_that_store_at_once_share_a_connection(
    backend: Backend, store: "redis.Redis"
) -> None:
    before = store.info("clients")["connected_clients"]
    task_ids = store_many(backend, "shared")
    assert store.info("clients")["connected_clients"] - before < THREADS / 2
    store.delete(*map(backend.get_key_for_task, task_ids))


def test_a_result_that_redis_refuses_for_a_while_is_stored_after_that_and_told_once(
    backend: Backend, store: "redis.Redis"
) -> None:
    """Those that were written together with it, too."""
    store.config_set("maxmemory", "1mb")
    there_is_room = threading.Timer(0.5, lambda: store.config_set("maxmemory", 0))
    there_is_room.start()
    with store.pubsub() as subscription:
        subscription.psubscribe("celery-task-meta-refused.*")
        try:
            task_ids = store_many(backend, "refused")
        finally:
            there_is_room.join()
        told = sum(1 for _ in iter(lambda: subscription.get_message(timeout=0.5), None))
    assert told - 1 == len(task_ids)  # and the answer to the subscription
    assert all(backend.get_state(task_id) == "SUCCESS" for task_id in task_ids)
    store.delete(*map(backend.get_key_for_task, task_ids))


def test_a_result_that_redis_never_takes_is_a_failure_and_harms_no_other(
    backend: Backend, store: "redis.Redis"
) -> None:
    with ThreadPoolExecutor(2) as pool:
        pool.submit(backend.store_result, "giant.1", "9" * MAX_BYTES, "SUCCESS").result(10)
        pool.submit(backend.store_result, "giant.2", "small", "SUCCESS").result(10)
    assert isinstance(backend.get_result("giant.1"), ResultTooLarge)
    assert "1_000_0" in str(backend.get_result("giant.1"))
    assert backend.get_result("giant.2") == "small"
    store.delete(*map(backend.get_key_for_task, ("giant.1", "giant.2")))
