"""Settings of users' apps: servers of all kinds are replaced, and what is created from them."""

import importlib.util
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from celery import Celery
from celery.backends.redis import RedisBackend
from kombu.connection import Connection
from kombu.entity import Exchange, Queue

import poolrace.producer.race as package
from poolrace.producer.race.app_process import URL_VARIABLES

URL = "redis://:secret@race.invalid:7777/3"
"""The Redis of the race. Nothing here connects to it."""

PREFIX = {"global_keyprefix": "race-"}
OWN = "own.invalid:1"

SERVERS: dict[str, dict[str, Any]] = {
    "several hosts of RabbitMQ": {
        "broker_url": f"amqp://user:word@{OWN}//;amqp://other.invalid//",
        "broker_login_method": "EXTERNAL",
        "broker_use_ssl": {"ca_certs": "missing", "keyfile": "missing"},
        "broker_failover_strategy": "shuffle",
        "broker_heartbeat": 1,
    },
    "a list of brokers, with parts of addresses": {
        "broker_url": [f"amqp://{OWN}//", "amqp://other.invalid//"],
        "broker_user": "user",
        "broker_password": "word",
        "broker_vhost": "host",
        "broker_port": 1,
        "result_backend": "rpc://",
    },
    "sentinels": {
        "broker_url": f"sentinel://:word@{OWN}/0;sentinel://:word@other.invalid/0",
        "broker_transport_options": {"master_name": "m", "sentinel_kwargs": {"password": "word"}},
        "result_backend": f"sentinel://{OWN}",
        "result_backend_transport_options": {"master_name": "m", "global_keyprefix": "own-"},
    },
    "TLS with certificates of the client": {
        "broker_url": f"rediss://{OWN}/0?ssl_cert_reqs=required",
        "broker_use_ssl": {"ssl_keyfile": "missing", "ssl_certfile": "missing"},
        "result_backend": f"rediss://{OWN}/0?ssl_cert_reqs=required",
        "redis_backend_use_ssl": {"ssl_keyfile": "missing", "ssl_cert_reqs": 2},
        "redis_backend_credential_provider": "missing.Provider",
        "redis_username": "user",
        "redis_password": "word",
        "redis_socket_timeout": 0.001,
    },
    "SQS": {
        "broker_url": "sqs://key:secret@",
        "broker_transport_options": {"predefined_queues": {"q": {"url": "http://own.invalid/q"}}},
        "broker_pool_limit": 0,
        "broker_connection_timeout": 0.001,
        "result_backend": "db+sqlite:///missing/results.db",
    },
    "memory": {"broker_url": "memory://", "result_backend": "cache+memory://"},
    "files": {"broker_url": "filesystem://", "result_backend": "file:///missing"},
    "a backend of the user's": {"broker_url": f"redis://{OWN}", "result_backend": "missing.Class"},
    "old names": {"BROKER_URL": f"amqp://{OWN}//", "BROKER_USE_SSL": {"ca_certs": "missing"}},
}


@pytest.fixture
def replace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Celery | str], Celery]]:
    """Replaces the servers of an app, or of the app ``proj.app`` with that source, in this process.

    Everything is restored afterwards.
    """
    for name in URL_VARIABLES:
        monkeypatch.setenv(name, URL)
    config: dict[str, Any] = {
        "url": URL, "prefix": "race-", "app": "proj:app", "pool": "threads", "own_backend": None,
        "own_brokers": [], "variables": URL_VARIABLES,
    }  # fmt: skip
    monkeypatch.setenv("POOLRACE_RACE", json.dumps(config))
    monkeypatch.setattr(Connection, "__init__", Connection.__init__)
    settings = _loaded(Path(package.__file__).with_name("app_settings.py"))

    def replace_servers(app: Celery | str) -> Celery:
        if isinstance(app, str):
            (tmp_path / "proj.py").write_text(app)
            monkeypatch.syspath_prepend(tmp_path)
        else:
            monkeypatch.setitem(sys.modules, "proj", ModuleType("proj"))
            vars(sys.modules["proj"])["app"] = app
        replaced: Celery = settings.replaced_app()
        return replaced

    yield replace_servers
    sys.modules.pop("proj", None)


def _loaded(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("poolrace_settings", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def new_app(**settings: Any) -> Celery:
    app = Celery("proj", set_as_current=False)
    app.config_from_object(settings)
    return app


def assert_leads_to_the_race(connection: Connection) -> None:
    assert connection.as_uri(include_password=True) == URL
    assert connection.transport_options == PREFIX
    assert (connection.ssl, connection.login_method, connection.userid) == (False, None, None)
    assert connection.alt in ([], [URL])


@pytest.mark.parametrize("servers", SERVERS)
def test_connections_and_results_go_to_the_redis_of_the_race(
    servers: str, replace: Callable[[Celery], Celery]
) -> None:
    app = replace(new_app(**SERVERS[servers]))
    assert_leads_to_the_race(app.connection_for_read())
    assert_leads_to_the_race(app.connection_for_write())
    if "result_backend" not in SERVERS[servers]:
        assert type(app.backend).__name__ == "DisabledBackend"
        return
    assert type(app.backend) is RedisBackend
    parameters = app.backend.connparams
    assert (parameters["host"], parameters["port"], parameters["db"]) == ("race.invalid", 7777, 3)
    assert parameters["password"] == "secret"
    assert not {"connection_class", "credential_provider", "username"} & parameters.keys()
    assert app.backend.get_key_for_task("1").startswith(b"race-")


def test_settings_that_the_app_makes_later_do_not_undo_the_replacement(
    replace: Callable[[Celery], Celery], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = replace(new_app(broker_url=f"amqp://{OWN}//", result_backend=f"redis://{OWN}"))
    monkeypatch.delenv("CELERY_BROKER_URL")
    monkeypatch.delenv("CELERY_BROKER_WRITE_URL")
    app.conf.update(broker_url="amqp://later.invalid//", broker_use_ssl=True)
    app.conf.task_always_eager = True
    assert_leads_to_the_race(app.connection_for_write())
    assert app.conf.task_always_eager is False


def test_variables_and_connections_that_the_import_makes_are_replaced(
    replace: Callable[[str], Celery],
) -> None:
    app = replace("""
import os
from celery import Celery
os.environ.update(CELERY_BROKER_URL="redis://own.invalid", CELERY_BROKER_WRITE_URL="redis://own.invalid")
app = Celery("proj", backend="redis://own.invalid")
first = app.backend, app.pool, app.amqp.producer_pool
""")
    assert_leads_to_the_race(app.connection_for_write())
    assert_leads_to_the_race(app.pool.connection)
    assert app.backend.connparams["host"] == "race.invalid"


def test_the_apps_own_connections_to_its_broker_lead_to_the_race(
    replace: Callable[[Celery], Celery],
) -> None:
    app = replace(new_app(broker_url=[f"amqp://{OWN}//", "amqp://second.invalid//"]))
    assert_leads_to_the_race(Connection(f"amqp://{OWN}//", ssl={"ca_certs": "missing"}))
    assert_leads_to_the_race(Connection(f"amqp://first.invalid//;amqp://{OWN}//", "user"))
    assert_leads_to_the_race(app.connection_for_write("amqp://second.invalid//"))
    assert Connection("amqp://else.invalid//").hostname == "else.invalid"
    assert Connection().hostname == "localhost"


def test_queues_of_the_app_are_replaced_and_its_routes_are_kept(
    replace: Callable[[Celery], Celery],
) -> None:
    quorum = {"x-queue-type": "quorum", "x-max-priority": 10}
    topic = Exchange("tasks", type="topic")
    app = replace(
        new_app(
            broker_url=f"amqp://{OWN}//",
            task_queues=[Queue("naps", topic, routing_key="naps.#", queue_arguments=quorum)],
            task_default_queue_type="quorum",
            task_default_exchange_type="topic",
            task_create_missing_queues=False,
            task_create_missing_queue_type="quorum",
            task_create_missing_queue_exchange_type="topic",
            task_routes=[lambda name, *_, **__: {"queue": "naps", "priority": 3}],
        )
    )
    app.amqp.queues.select(["queue-0"])
    queue = app.amqp.queues.consume_from["queue-0"]
    assert (queue.exchange.type, queue.queue_arguments) == ("direct", None)
    assert app.amqp.router.route({}, "proj.nap")["queue"].name == "naps"
    assert os.environ["CELERY_RESULT_BACKEND"] == "disabled://"
