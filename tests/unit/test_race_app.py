"""Facts of a user's app: what its import, its settings and its task mean for a race."""

import os
import re
import sys
import tempfile
from pathlib import Path

import pytest

from poolrace.producer.race.app_info import AppInfo, probe
from poolrace.producer.race.app_process import last_line
from poolrace.producer.race.interpreter import app_interpreter
from poolrace.producer.race.items import Item
from poolrace.producer.race.options import Target, base_candidates, parse_pool, pools_to_search
from poolrace.producer.race.sandbox import Sandbox
from poolrace.producer.results.candidate import SOLO, Candidate
from poolrace.producer.results.race import TaskSettings
from poolrace.workers.errors import UsageError
from tests.unit.test_race_processes import NO_CLIENT

APP = """
from celery import Celery, Task
from celery.signals import worker_process_init

app = Celery("proj", broker="amqp://broker.invalid//")
app.conf.update(worker_pool="threads", worker_prefetch_multiplier=1)


@app.task
async def coroutine():
    pass


@app.task(autoretry_for=(ValueError,))
async def retried_coroutine():
    pass


class Awaiting(Task):
    def __call__(self, *args, **kwargs):
        pass


@app.task(base=Awaiting)
async def awaited():
    pass


class Filling(Task):
    typing = False


@app.task(base=Filling, rate_limit="60/m", acks_late=True)
def filled(session, number):
    pass


@app.task(soft_time_limit=1.5)
def limited():
    pass


class Pools:
    @worker_process_init.connect(weak=False)
    def open(**_):
        pass
"""


@pytest.fixture(autouse=True)
def _directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def facts(directory: Path, task: str, *args: object, app: str = APP, name: str = "proj") -> AppInfo:
    (directory / "proj.py").write_text(app)
    target = Target(name, f"proj.{task}", sys.executable, directory)
    return probe(target, Sandbox("redis://127.0.0.1:1/0", "p-", NO_CLIENT), [Item(1, [*args], {})])


@pytest.mark.parametrize(
    ("name", "app", "message"),
    [
        ("proj:celery", APP, r"module 'proj' has no attribute 'celery'; .* -A proj\.tasks:app"),
        ("proj", "import os", r"module 'proj' has no attribute 'celery'; .* -A proj\.tasks:app"),
        ("proj.py", APP, "give a module, not a file: -A proj$"),
        ("src/proj.py", APP, r"give a module, not a file: -A src\.proj$"),
        ("proj", "app = dict()", "it is an instance of builtins.dict, and not a Celery app"),
        ("absent", APP, "No module named 'absent'; run this in the app's directory"),
        (
            "proj",
            "import os; os._exit(0)",
            f"by {sys.executable}: it logged nothing; give a Python",
        ),
        (
            "proj",
            "raise ModuleNotFoundError(\"No module named 'celery'\")",
            f"; install Celery in the environment of {sys.executable}, or give another --python",
        ),
        (
            "proj",
            "\nimport absent",
            r"No module named 'absent' \(proj\.py, line 2\); run this in the app's directory",
        ),
        ("proj", "import os\nos.environ['URL']", r"KeyError: 'URL' \(proj\.py, line 2\)$"),
    ],
)
def test_an_app_that_cannot_be_loaded_is_refused_with_the_way_out(
    tmp_path: Path, name: str, app: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        facts(tmp_path, "limited", app=app, name=name)


def test_an_import_that_takes_longer_than_the_budget_asks_for_more_time(tmp_path: Path) -> None:
    (tmp_path / "proj.py").write_text("import time; time.sleep(60)")
    target = Target("proj", "proj.any", sys.executable, tmp_path)
    sandbox = Sandbox("redis://127.0.0.1:1/0", "p-", NO_CLIENT)
    with pytest.raises(UsageError, match=r"not imported within 0\.1 s; raise --budget-s, or make"):
        probe(target, sandbox, [Item(1, [], {})], 0.1)


@pytest.mark.parametrize("task", ["coroutine", "retried_coroutine"])
def test_a_coroutine_function_is_refused(tmp_path: Path, task: str) -> None:
    with pytest.raises(UsageError, match="is a coroutine function"):
        facts(tmp_path, task)


def test_a_coroutine_function_that_its_task_class_calls_itself_is_raced(tmp_path: Path) -> None:
    assert facts(tmp_path, "awaited").settings.worker_pool == "threads"


def test_arguments_that_celery_does_not_check_are_not_checked(tmp_path: Path) -> None:
    assert facts(tmp_path, "filled", 1).settings == TaskSettings(
        "threads", True, 1, "60/m", process_init=["proj.Pools.open"]
    )


def test_settings_that_a_race_replaces_or_that_some_pools_ignore_are_read(tmp_path: Path) -> None:
    eager = APP + "app.conf.task_always_eager = True\n"
    settings = facts(tmp_path, "limited", app=eager).settings
    assert (settings.eager, settings.soft_time_limit_s) == (True, 1.5)
    default = APP + "app.conf.task_soft_time_limit = 30\n"
    settings = facts(tmp_path, "awaited", app=default).settings
    assert (settings.eager, settings.soft_time_limit_s) == (False, 30.0)


def test_an_app_that_patches_for_gevent_is_raced_in_gevent_only(tmp_path: Path) -> None:
    patching = "import gevent.monkey\ngevent.monkey.patch_all()\n"
    app = facts(tmp_path, "filled", 1, app=patching + APP)
    assert (app.patched, app.pools) == (True, ("gevent",))
    assert base_candidates(app.pools) == [Candidate("gevent", 1)]
    assert pools_to_search([], app.pools, patched=True) == ["gevent"]
    with pytest.raises(UsageError, match="the app patches the standard library for gevent"):
        pools_to_search(["prefork:2"], app.pools, patched=True)


def test_the_base_runs_in_solo_where_it_can() -> None:
    pools = ["prefork", "threads", "solo"]
    assert base_candidates(pools) == [SOLO, Candidate("prefork", 1), Candidate("threads", 1)]


def test_eventlet_is_refused_with_the_reason() -> None:
    with pytest.raises(UsageError, match=r"--pool eventlet:100: eventlet is not raced, since"):
        parse_pool("eventlet:100")


def test_the_first_failure_is_the_last_line_of_a_log_that_names_an_error() -> None:
    log = "Traceback ...\n  File x\nOSError: [Errno 98] Address already in use\n\nworker: bye"
    assert last_line(log) == "OSError: [Errno 98] Address already in use"
    assert last_line("one\ntwo\n") == "two"
    assert last_line("") == ""


@pytest.mark.parametrize(
    ("app", "hint"),
    [
        ("shop.worker", "No module named 'shop'; it is in src: run this there, or install it"),
        ("alone:app", "No module named 'alone'; it is in src: run this there, or install it"),
        ("other", "No module named 'other'; run this in the app's directory"),
    ],
)
def test_an_app_in_a_src_layout_is_found_for_the_user(tmp_path: Path, app: str, hint: str) -> None:
    (tmp_path / "src" / "shop").mkdir(parents=True)
    (tmp_path / "src" / "alone.py").touch()
    target = Target(app, "task", sys.executable, tmp_path)
    with pytest.raises(UsageError, match=re.escape(hint)):
        probe(target, Sandbox("redis://127.0.0.1:1/0", "p-", NO_CLIENT), [])


def environment(directory: Path, *, celery: bool = True) -> Path:
    (directory / "bin").mkdir(parents=True)
    (directory / "bin" / "python").touch()
    if celery:
        (directory / "lib" / "python3.11" / "site-packages" / "celery").mkdir(parents=True)
    return directory


def test_the_interpreter_is_that_of_the_active_environment_else_of_venv_beside_the_app(
    tmp_path: Path,
) -> None:
    source = tmp_path / "src"
    source.mkdir()
    assert app_interpreter(None, {}, source) == sys.executable
    beside = environment(tmp_path / ".venv")
    assert app_interpreter(None, {}, source) == str(beside / "bin" / "python")
    active = {"VIRTUAL_ENV": str(environment(tmp_path / "active"))}
    assert app_interpreter(None, active, source) == str(tmp_path / "active" / "bin" / "python")
    assert app_interpreter("/usr/bin/env", active, source) == "/usr/bin/env"
    ours = {"VIRTUAL_ENV": sys.prefix}
    assert app_interpreter(None, ours, source) == sys.executable
    without = {"VIRTUAL_ENV": str(environment(tmp_path / "without", celery=False))}
    assert app_interpreter(None, without, source) == str(beside / "bin" / "python")
    assert app_interpreter("no-python", os.environ, source) == "no-python"
