"""The result backend of the workers: stores many results at a time, and publishes each once."""

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

THREADS = 16
RESULTS_PER_THREAD = 25


@pytest.fixture
def backend(with_cluster: Settings) -> Iterator[Backend]:
    with make_app(with_cluster) as app:
        assert isinstance(app.backend, Backend)
        yield app.backend


def store_many(backend: Backend, prefix: str) -> list[str]:
    """Store results from many threads at once; returns their task ids."""
    task_ids = [f"{prefix}.{number}" for number in range(THREADS * RESULTS_PER_THREAD)]
    all_started = threading.Barrier(THREADS)

    def store(task_ids: list[str]) -> None:
        all_started.wait()
        for task_id in task_ids:
            backend.store_result(task_id, {"value": task_id}, "SUCCESS")

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(store, [task_ids[first::THREADS] for first in range(THREADS)]))
    return task_ids


def test_each_result_is_stored_expires_and_is_published_once(
    backend: Backend, store: "redis.Redis"
) -> None:
    published: Counter[bytes] = Counter()
    with store.pubsub(ignore_subscribe_messages=True) as subscription:
        subscription.psubscribe("celery-task-meta-together.*")
        task_ids = store_many(backend, "together")

        def all_published() -> bool:
            while message := subscription.get_message(timeout=0.1):
                published[message["channel"]] += 1
            return published.total() >= len(task_ids)

        wait_until(all_published)
    keys = [backend.get_key_for_task(task_id) for task_id in task_ids]
    assert published == Counter(keys)
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


def test_results_that_a_full_redis_refuses_are_stored_later_and_published_once(
    backend: Backend, store: "redis.Redis"
) -> None:
    store.config_set("maxmemory", "1mb")
    make_room = threading.Timer(0.5, lambda: store.config_set("maxmemory", 0))
    make_room.start()
    with store.pubsub() as subscription:
        subscription.psubscribe("celery-task-meta-refused.*")
        try:
            task_ids = store_many(backend, "refused")
        finally:
            make_room.join()
        messages = sum(1 for _ in iter(lambda: subscription.get_message(timeout=0.5), None))
    assert messages - 1 == len(task_ids)  # one message confirms the subscription
    assert all(backend.get_state(task_id) == "SUCCESS" for task_id in task_ids)
    store.delete(*map(backend.get_key_for_task, task_ids))


def test_a_result_too_large_for_redis_is_stored_as_a_failure_beside_other_results(
    backend: Backend, store: "redis.Redis"
) -> None:
    with ThreadPoolExecutor(2) as pool:
        pool.submit(backend.store_result, "large.1", "9" * MAX_BYTES, "SUCCESS").result(10)
        pool.submit(backend.store_result, "large.2", "small", "SUCCESS").result(10)
    assert isinstance(backend.get_result("large.1"), ResultTooLarge)
    assert "1_000_0" in str(backend.get_result("large.1"))
    assert backend.get_result("large.2") == "small"
    store.delete(*map(backend.get_key_for_task, ("large.1", "large.2")))
