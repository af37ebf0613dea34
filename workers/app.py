"""The Celery app: one configuration for workers and producers, each setting with its reason.

Makes apps, and holds none: a worker's is in ``tasks.py``, a producer makes one a run.
"""

from typing import Any
from urllib.parse import urlsplit

from celery import Celery
from kombu.entity import Exchange, Queue

from poolrace.workers.pools import POOLS
from poolrace.workers.runtime.backend import OVERRIDES
from poolrace.workers.runtime.transport import install
from poolrace.workers.settings import WorkerSettings

TASK = "poolrace.compute"
"""Name of the one task, which computes the chunks of a message."""

ON_HOST = "on host "
"""With the host's name the last line of a failed chunk's traceback."""


def make_app(settings: WorkerSettings) -> Celery:
    """A Celery app for the broker and the result backend in ``settings``."""
    install()
    app = Celery("poolrace", broker=settings.broker_url)
    app.loader.override_backends = OVERRIDES
    app.conf.update(configuration(settings))
    return app


def configuration(settings: WorkerSettings) -> dict[str, Any]:
    """The settings of the app."""
    # kombu's default is 10, redis-py's 100: beyond it an acknowledgement or a result of the
    # gevent pool, where every greenlet may use a connection at once, is lost in an error.
    connections = 65_536
    sockets = {
        # kombu's default is to wait for ever on a server that stopped answering.
        "socket_timeout": 10.0,
        "socket_connect_timeout": 4.0,
        # A host that vanished without a word is noticed by the kernel, and by a PING.
        "socket_keepalive": True,
        "health_check_interval": 10,
    }
    return {
        **_encryption(settings),
        "result_backend": settings.result_backend or settings.broker_url,
        # JSON only, both ways: a pickled message is refused, so nobody who reaches the broker
        # can run code in a worker.
        "task_serializer": "json",
        "result_serializer": "json",
        "accept_content": ["json"],
        "result_accept_content": ["json"],
        # A message counts against the prefetch limit until its chunk is done, so that a slot
        # takes one at a time. Nothing more: what is lost with a worker the producer sends again.
        "task_acks_late": True,
        # A prefork child that dies fails its chunk, which the producer hears of and counts.
        # Celery would run it again without end.
        "task_reject_on_worker_lost": False,
        # Only as many messages as slots, so that no chunk waits behind another one while a
        # slot elsewhere is idle. gevent needs 2 (see pools.py), on its command line.
        "worker_prefetch_multiplier": 1,
        "broker_transport_options": {
            **sockets,
            "max_connections": connections,
            # Workers note in Redis what they hold, and give what a silent worker held to others
            # after a while, by clocks that may differ; what dies between two notes is lost. The
            # producer knows better what is missing (producer/executors/celery/in_flight.py), so
            # nothing is noted, which also saves two commands a chunk.
            "ack_emulation": False,
        },
        "redis_max_connections": connections,
        "redis_socket_timeout": sockets["socket_timeout"],
        "redis_socket_connect_timeout": sockets["socket_connect_timeout"],
        "redis_socket_keepalive": sockets["socket_keepalive"],
        "redis_backend_health_check_interval": sockets["health_check_interval"],
        # Without it a chunk that ends while Redis is away is stored as failed.
        "result_backend_always_retry": True,
        # Celery's default of 10 s would keep slots waiting long after Redis is back.
        "result_backend_max_sleep_between_retries_ms": 1000,
        # Celery makes a backend a thread, and so a connection and 2 ms of work for every greenlet,
        # which lives for one chunk. Ours is a pool of connections that all of them may use.
        "result_backend_thread_safe": True,
        # The producer deletes what it has read; this is for results that nobody reads.
        "result_expires": 3600,
        # A worker waits for its broker for as long as it takes.
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        # Keep what runs when the connection drops: its result is still wanted.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        # A prefork child that died can have stored a result just before; it need not be waited
        # for in vain for long (default: 10 s).
        "worker_lost_wait": 2.0,
        # A queue a pool: its name says who works on it.
        "task_queues": [Queue(pool, Exchange(pool), routing_key=pool) for pool in POOLS],
        "task_default_queue": next(iter(POOLS)),
        # Each event is one more message per chunk. Flower switches on those it needs.
        "task_track_started": False,
        "task_send_sent_event": False,
        "worker_send_task_events": False,
    }


def _encryption(settings: WorkerSettings) -> dict[str, Any]:
    """For ``rediss://``: whoever answers must prove to be the host of the address."""
    proof = {
        "ssl_cert_reqs": "required",
        "ssl_check_hostname": True,
        "ssl_ca_certs": settings.ca_file and str(settings.ca_file),
    }
    addresses = {
        "broker_use_ssl": settings.broker_url,
        "redis_backend_use_ssl": settings.result_backend or settings.broker_url,
    }
    return {
        name: proof
        for name, address in addresses.items()
        if address and urlsplit(address).scheme == "rediss"
    }
