"""The Celery configuration of workers and producers, each setting with its reason."""

from typing import Any
from urllib.parse import urlsplit

from kombu.entity import Exchange, Queue

from poolrace.workers.protocol import QUEUES
from poolrace.workers.settings import WorkerSettings


def configuration(settings: WorkerSettings) -> dict[str, Any]:
    """The Celery settings, by name."""
    return {
        **_encryption(settings),
        **_connections(),
        **_serialization(),
        **_delivery(),
        **_results(settings),
        **_failures(),
        # One queue for each pool.
        "task_queues": [Queue(name, Exchange(name), routing_key=name) for name in QUEUES],
        "task_default_queue": QUEUES[0],
        # Each event is one more message per chunk. Flower enables those that it needs.
        "task_track_started": False,
        "task_send_sent_event": False,
        "worker_send_task_events": False,
    }


def _connections() -> dict[str, Any]:
    """Settings of the connections to Redis, as broker and as result backend."""
    # kombu's default is 10, redis-py's 100: beyond it an acknowledgement or a result of the
    # gevent pool, where every greenlet may use a connection at once, is lost in an error.
    connections = 65_536
    sockets = {
        # kombu's default is to wait forever for a server that stopped answering.
        "socket_timeout": 10.0,
        "socket_connect_timeout": 4.0,
        # The kernel and a PING notice a host that vanished without closing its connection.
        "socket_keepalive": True,
        "health_check_interval": 10,
    }
    return {
        "broker_transport_options": {
            **sockets,
            "max_connections": connections,
            # With this emulation workers record in Redis which messages they hold, and messages
            # of a silent worker go to other workers after a while, by clocks that may differ; a
            # message that is lost between two records stays lost. The producer sends lost chunks
            # again (producer/executors/celery/recovery.py). Without the emulation a chunk costs
            # two commands less.
            "ack_emulation": False,
        },
        "redis_max_connections": connections,
        "redis_socket_timeout": sockets["socket_timeout"],
        "redis_socket_connect_timeout": sockets["socket_connect_timeout"],
        "redis_socket_keepalive": sockets["socket_keepalive"],
        "redis_backend_health_check_interval": sockets["health_check_interval"],
        # A worker waits for its broker without a limit.
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
    }


def _serialization() -> dict[str, Any]:
    """Settings of the serialization: JSON only. A pickled message is refused, so that access to the
    broker does not allow running code in a worker."""
    return {
        "task_serializer": "json",
        "result_serializer": "json",
        "accept_content": ["json"],
        "result_accept_content": ["json"],
    }


def _delivery() -> dict[str, Any]:
    """Settings of the delivery: late acknowledgement, and the number of prefetched messages."""
    return {
        # A message counts against the prefetch limit until its chunk is done, so that a slot
        # takes one at a time. It does not prevent loss: the producer sends lost chunks again.
        "task_acks_late": True,
        # Only as many messages as slots, so that no chunk waits behind another one while a
        # slot elsewhere is idle. gevent needs 2 (see pools.py), on its command line.
        "worker_prefetch_multiplier": 1,
    }


def _results(settings: WorkerSettings) -> dict[str, Any]:
    """Settings of the result backend, its retries, and the expiry of results."""
    return {
        "result_backend": settings.result_backend or settings.broker_url,
        # Otherwise a chunk that ends while Redis is unreachable is stored as failed.
        "result_backend_always_retry": True,
        # Celery's default of 10 s would keep slots waiting long after Redis is back.
        "result_backend_max_sleep_between_retries_ms": 1000,
        # By default Celery makes a backend for each thread: under gevent a connection and 2 ms of
        # work for each greenlet, which runs for one chunk. Our backend is thread-safe.
        "result_backend_thread_safe": True,
        # The producer deletes each result that it has read; the others expire.
        "result_expires": 3600,
    }


def _failures() -> dict[str, Any]:
    """Settings for a chunk whose process or connection is lost."""
    return {
        # A prefork child that dies fails its chunk, and the producer counts the failures.
        # Celery would run the chunk again without end.
        "task_reject_on_worker_lost": False,
        # Running chunks continue when the connection drops: the producer waits for their results.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        # Seconds that the parent waits for a result of a prefork child that died (default: 10 s).
        "worker_lost_wait": 2.0,
    }


def _encryption(settings: WorkerSettings) -> dict[str, Any]:
    """Settings of TLS for ``rediss://``: the server needs a certificate for its host name."""
    tls = {
        "ssl_cert_reqs": "required",
        "ssl_check_hostname": True,
        "ssl_ca_certs": settings.ca_file and str(settings.ca_file),
    }
    addresses = {
        "broker_use_ssl": settings.broker_url,
        "redis_backend_use_ssl": settings.result_backend or settings.broker_url,
    }
    return {
        name: tls
        for name, address in addresses.items()
        if address and urlsplit(address).scheme == "rediss"
    }
