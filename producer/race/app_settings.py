"""Replaces the servers in the settings of the user's app by the Redis of the race.

It is copied beside the shim, as ``poolrace_settings.py``, and needs no more than the shim does.
"""

from __future__ import annotations

import json
import os
from typing import Any

CONFIG: dict[str, Any] = json.loads(os.environ["POOLRACE_RACE"])
"""Configuration from the producer; ``producer/race/app_process.py`` writes it."""

SERVER_SETTINGS = ("broker_", "redis_", "result_backend_")
"""Beginnings of the names of settings of servers: addresses, passwords, certificates."""


def own_app() -> Any:
    """The user's app as ``celery -A`` finds it; raises ``TypeError`` if it is no Celery app."""
    from celery import Celery  # noqa: PLC0415 # after gevent has patched
    from celery.app.utils import find_app  # noqa: PLC0415 # as above

    app = find_app(CONFIG["app"])
    if not isinstance(app, Celery):
        kind = f"{type(app).__module__}.{type(app).__qualname__}"
        raise TypeError(
            f"it is an instance of {kind}, and not a Celery app; name that, as -A proj.tasks:celery"
        )
    return app


def replaced_app() -> Any:
    """The user's app, with broker and result backend replaced."""
    app = own_app()
    app.conf.result_backend  # noqa: B018 # read once, the configuration is loaded
    own_backend = (
        CONFIG["own_backend"]
        or app.conf.first("result_backend", "CELERY_RESULT_BACKEND")
        or app.backend_cls
    )
    keeps_results = bool(own_backend) and not str(own_backend).startswith("disabled")
    backend = CONFIG["url"] if keeps_results else "disabled://"
    _replace_connections(_own_brokers(app))
    # Celery's variables override any setting; the import of the app may have changed them.
    os.environ.update(dict.fromkeys(CONFIG["variables"], CONFIG["url"]))
    os.environ["CELERY_RESULT_BACKEND"] = backend
    app.backend_cls = None
    # The first mapping overrides the app's settings, also those that it makes later.
    app.conf.maps.insert(0, _Replacements(_replacements(app, backend)))
    # What was created earlier uses the app's own servers: queues, connections, backends.
    app.__dict__.pop("amqp", None)
    app._pool = app._backend_cache = None
    if hasattr(app._local, "backend"):
        del app._local.backend
    return app


class _Replacements(dict):  # type: ignore[type-arg] # Python 3.8 has no dict[str, Any]
    """Settings that override the app's own.

    A setting of a server that is not replaced has Celery's default, or ``None`` if this version of
    Celery does not have it.
    """

    def __missing__(self, name: str) -> Any:
        from celery.app.defaults import DEFAULTS  # noqa: PLC0415 # as above

        if name.startswith(SERVER_SETTINGS):
            return DEFAULTS.get(name)
        raise KeyError(name)


def _replacements(app: Any, backend: str) -> dict[str, Any]:
    """The settings that are replaced; those that do not name a server otherwise stay the app's."""
    url, prefix = CONFIG["url"], {"global_keyprefix": CONFIG["prefix"]}
    # Celery takes the pool from this setting where the command line says prefork.
    pool = {"worker_pool": CONFIG["pool"]} if CONFIG["pool"] else {}
    return {
        **pool,
        "broker_url": url, "broker_read_url": url, "broker_write_url": url,
        "broker_transport_options": prefix,
        "broker_connection_retry_on_startup": True,
        "broker_connection_timeout": None,  # as Celery sets it for gevent
        "result_backend": backend,
        "result_backend_transport_options": prefix,
        # The worker consumes a queue of the race instead of the app's queues.
        "task_queues": None, "task_create_missing_queues": True,
        "task_create_missing_queue_type": "classic", "task_default_queue_type": "classic",
        "task_create_missing_queue_exchange_type": None, "task_default_exchange_type": "direct",
        "task_always_eager": False, "beat_schedule": {},
        "worker_state_db": None,  # a file of the user's
        "accept_content": [*{*(app.conf.accept_content or ()), "json"}],
    }  # fmt: skip


def _own_brokers(app: Any) -> set[str]:
    """Addresses of the app's own brokers."""
    conf = app.conf
    names = "broker_url", "broker_read_url", "broker_write_url"
    return _addresses([*CONFIG["own_brokers"], *(conf.get(name) for name in names)])


def _addresses(values: Any) -> set[str]:
    """The single addresses in a value of ``broker_url``, which may hold several."""
    if isinstance(values, str):
        return {*values.split(";")} - {""}
    return set().union(*map(_addresses, values or ()))


def _replace_connections(own_brokers: set[str]) -> None:
    """Have connections to the app's own brokers lead to the broker of the race.

    The app may make some itself, as in a bootstep that consumes a queue of its own.
    """
    from kombu.connection import Connection  # noqa: PLC0415 # as above

    connection_class: Any = Connection
    connect = connection_class.__init__

    def connect_to_race(self: Any, hostname: Any = "localhost", *args: Any, **kwargs: Any) -> None:
        if own_brokers & _addresses(hostname):
            options = {"global_keyprefix": CONFIG["prefix"]}
            hostname, args, kwargs = CONFIG["url"], (), {"transport_options": options}
        connect(self, hostname, *args, **kwargs)

    connection_class.__init__ = connect_to_race
