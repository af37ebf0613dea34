"""A race of an app with unusual settings, and of one app twice at the same time."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from poolrace.producer.broker.client import connect
from poolrace.producer.cluster.lifecycle import temporary
from poolrace.producer.settings import Settings
from tests.conftest import CommandLine
from tests.races.project import MARK, by_name, race, race_processes
from tests.races.test_race import counting_listener

SETTINGS_APP = """
import os
import time

from celery import Celery, bootsteps
from kombu import Connection, Consumer, Exchange, Queue

OWN = os.environ["OWN_BROKER"]


def route(name, args, kwargs, options, task=None, **more):
    return {"queue": "naps", "priority": 3}


app = Celery("proj", broker=OWN, backend=OWN)
app.conf.update(
    broker_pool_limit=0, broker_connection_timeout=0.01, broker_failover_strategy="shuffle",
    redis_backend_health_check_interval=1, redis_socket_timeout=0.01,
    task_queues=[
        Queue("naps", Exchange("naps", type="topic"), routing_key="naps.#",
              queue_arguments={"x-queue-type": "quorum", "x-max-priority": 10}),
    ],
    task_routes=[route], task_create_missing_queues=False, task_queue_max_priority=10,
    task_default_queue_type="quorum", task_default_exchange="naps", task_default_priority=5,
    task_default_exchange_type="topic", task_default_routing_key="naps.x", worker_direct=True,
    task_serializer="pickle", result_serializer="pickle", accept_content={"pickle"},
    event_serializer="pickle", task_compression="gzip", result_compression="gzip",
    task_acks_late=True, task_reject_on_worker_lost=True, task_protocol=1, result_extended=True,
    task_track_started=True, task_send_sent_event=True, worker_send_task_events=True,
    task_time_limit=100, task_soft_time_limit=90, enable_utc=False, timezone="Europe/Berlin",
    worker_hijack_root_logger=False, worker_redirect_stdouts=False, worker_concurrency=7,
    worker_max_tasks_per_child=500, worker_max_memory_per_child=1_000_000,
    worker_pool_restarts=True, worker_soft_shutdown_timeout=30.0, worker_state_db="state",
    worker_enable_soft_shutdown_on_idle=True, worker_deduplicate_successful_tasks=True,
    worker_cancel_long_running_tasks_on_connection_loss=True,
    beat_schedule={"nap": {"task": "proj.nap", "schedule": 1, "args": [1]}},
)


class Consuming(bootsteps.ConsumerStep):
    def get_consumers(self, channel):
        return [Consumer(channel, queues=[Queue("own")], callbacks=[])]


class Declaring(bootsteps.StartStopStep):
    requires = {"celery.worker.components:Pool"}

    def start(self, worker):
        with Connection(OWN) as connection:
            Queue("own", channel=connection.default_channel).declare()
        worker.app.connection_for_write(OWN).ensure_connection(max_retries=0)


app.steps["consumer"].add(Consuming)
app.steps["worker"].add(Declaring)


@app.task
def nap(seconds):
    time.sleep(seconds)
"""

NOTING_APP = """
import os
import time
from pathlib import Path

from celery import Celery

app = Celery("proj", broker="amqp://broker.invalid//", backend="redis://backend.invalid")


@app.task
def note(name):
    with Path(os.environ["NOTES"]).open("a") as notes:
        notes.write(f"{name}\\n")
    time.sleep(0.02)
"""


def test_an_app_with_unusual_settings_is_raced_without_its_own_broker(
    producer: CommandLine,
) -> None:
    (producer.directory / "proj.py").write_text(SETTINGS_APP)
    with counting_listener() as (port, accepted):
        producer.variables["OWN_BROKER"] = f"redis://:word@127.0.0.1:{port}/0"
        answer = race(
            producer, "proj.nap", "[0.02]\n", "--pool", "prefork:2", "--pool", "threads:2",
            "--pool", "gevent:2",
        )  # fmt: skip
        assert accepted == []
    assert {"prefork", "threads", "gevent"} <= by_name(answer).keys()
    for candidate in answer.json()["candidates"]:
        assert candidate["failures"] == {}
    assert " --queues naps " in answer.json()["worker_command"]
    assert list(producer.directory.glob("state*")) == []


def test_two_races_of_an_app_at_the_same_time_do_not_mix(producer: CommandLine) -> None:
    (producer.directory / "proj.py").write_text(NOTING_APP)
    started = threading.Barrier(2)

    with temporary(Settings(), {}) as given, ThreadPoolExecutor(2) as executor:

        def run(name: str) -> dict[str, object]:
            project = CommandLine(producer.directory / name, {})
            project.directory.mkdir()
            notes = project.directory / "notes"
            project.variables.update({MARK: name, "NOTES": str(notes)})
            project.variables["PYTHONPATH"] = str(producer.directory)
            started.wait()
            answer = race(
                project, "proj.note", f'["{name}"]\n', "--pool", "threads:2", "--pool",
                "prefork:2", "--broker", given.broker_url,
            )  # fmt: skip
            assert {"threads", "prefork"} <= by_name(answer).keys()
            assert set(notes.read_text().split()) == {name}
            assert len(notes.read_text().split()) >= answer.json()["executions"]
            assert race_processes(project) == []
            return answer.json()  # type: ignore[no-any-return]

        for verdict in executor.map(run, ["one", "two"]):
            assert verdict["fastest"]
        with closing(connect(given.broker_url)) as client:
            assert list(client.scan_iter()) == []
