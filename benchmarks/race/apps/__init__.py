"""Celery apps whose best pools are known: the folders beside this file, and ``examples/``.

The tests of races and the benchmark of races use this table. The known answers hold on two cores
or more; where a machine decides, several pools are right.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

HERE = Path(__file__).parent
EXAMPLES = HERE.parent.parent.parent / "examples"

Kind = Literal["computes", "waits", "fails", "messages", "memory"]
"""Property of the task that decides which pool is best."""

SERVER = "EXAMPLE_SERVER"
"""Environment variable of the apps that need a server: its URL."""

GREEN = frozenset({"threads", "gevent"})
CONCURRENT = frozenset({"prefork", "threads", "gevent"})
WAITING = frozenset({"waiting", "worker", "cpu"})
"""Limits of a task that waits; with many slots messages use up the cores of one worker, or all."""


@dataclass(frozen=True)
class App:
    """A Celery app with a task to race, and the known answer of the race."""

    name: str
    """Name of the folder, and of the app where one folder has one task."""
    kind: Kind
    task: str
    right: frozenset[str]
    """Pools of which the fastest candidate is one."""
    limits: frozenset[str]
    """Values of ``limited_by`` that are right."""
    wrong: frozenset[str] = frozenset({"solo"})
    """Pools that must not be recommended."""
    slots: tuple[int, int] = (2, 512)
    """Fewest and most slots that a right recommendation has."""
    app: str = "tasks"
    """The app as ``celery -A`` takes it."""
    parent: Path = HERE
    """Directory of the folder."""
    subdirectory: str = "."
    """Working directory of the race, below the folder."""
    options: tuple[str, ...] = ()
    """Further options of the race, which the app needs."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of the race."""
    needs_server: bool = False
    """Whether ``server.py PORT`` of the folder must run, and ``SERVER`` name its URL."""

    @property
    def folder(self) -> Path:
        """The folder of the app."""
        return self.parent / self.name

    @property
    def directory(self) -> Path:
        """The working directory of the race."""
        return self.folder / self.subdirectory

    @property
    def items(self) -> Path:
        """The items file."""
        return self.folder / "items.jsonl"

    @property
    def arguments(self) -> tuple[str, ...]:
        """Arguments of ``producer race`` for this app."""
        named = ("-A", self.app, "--task", self.task, "--items", str(self.items))
        return (*named, *self.options)


APPS = (
    # The examples.
    App("http", "waits", "tasks.fetch", GREEN, WAITING, slots=(16, 512), parent=EXAMPLES,
        needs_server=True),
    App("blocking", "waits", "tasks.query", frozenset({"threads", "prefork"}),
        WAITING | {"blocking"}, wrong=frozenset({"solo", "gevent"}), slots=(16, 512),
        parent=EXAMPLES),
    App("failing", "fails", "tasks.divide", CONCURRENT, frozenset({"failures"}), parent=EXAMPLES),
    App("pure_python", "computes", "tasks.count_primes", frozenset({"prefork"}),
        frozenset({"cpu"}), wrong=frozenset({"solo", "threads", "gevent"}), slots=(2, 16),
        parent=EXAMPLES),
    App("django_project", "computes", "invoices.tasks.render", frozenset({"prefork"}),
        frozenset({"cpu"}), wrong=frozenset({"solo", "threads", "gevent"}), slots=(2, 16),
        app="shop", parent=EXAMPLES),
    App("hashing", "computes", "tasks.derive", frozenset({"prefork", "threads"}),
        frozenset({"cpu"}), wrong=frozenset({"solo", "gevent"}), slots=(2, 16), parent=EXAMPLES),
    # Common tasks.
    App("sleeping", "waits", "tasks.nap", CONCURRENT, WAITING, slots=(32, 512)),
    App("usleep", "waits", "tasks.nap", frozenset({"threads", "prefork"}), WAITING | {"blocking"},
        wrong=frozenset({"solo", "gevent"}), slots=(32, 512)),
    App("slow_service", "waits", "tasks.fetch", CONCURRENT, frozenset({"service"}), slots=(4, 16),
        needs_server=True),
    App("unreliable", "fails", "tasks.parse", CONCURRENT, WAITING | {"failures"}),
    App("hanging", "fails", "tasks.crawl", frozenset({"prefork", "gevent"}), WAITING | {"failures"},
        wrong=frozenset({"solo", "threads"}), options=("--time-limit", "1")),
    App("large_memory", "memory", "tasks.upload", CONCURRENT, frozenset({"memory", "waiting"}),
        options=("--max-memory", "400M")),
    App("large_results", "messages", "tasks.export", CONCURRENT | {"solo"},
        frozenset({"broker", "worker", "cpu"}), wrong=frozenset(), slots=(1, 16)),
    App("subprocesses", "computes", "tasks.convert", CONCURRENT, frozenset({"cpu"}),
        slots=(2, 16)),
    App("numpy_threads", "computes", "tasks.multiply", CONCURRENT | {"solo"}, frozenset({"cpu"}),
        wrong=frozenset(), slots=(1, 16)),
    App("asyncio_run", "waits", "tasks.fetch_all", frozenset({"threads", "prefork"}),
        WAITING, wrong=frozenset({"solo", "gevent"}), slots=(16, 512)),
    # Settings and habits of apps.
    App("flask_factory", "waits", "shop.tasks.greet", CONCURRENT, WAITING, slots=(16, 512),
        app="make_celery"),
    App("retrying", "waits", "tasks.crawl", CONCURRENT, WAITING, slots=(8, 512)),
    App("retrying", "waits", "tasks.crawl_again", CONCURRENT, WAITING, slots=(8, 512)),
    App("rate_limited", "waits", "tasks.call", CONCURRENT, WAITING, slots=(16, 512)),
    App("soft_limit", "waits", "tasks.search", frozenset({"prefork"}), WAITING,
        wrong=frozenset({"solo", "threads", "gevent"})),
    App("ignored_results", "waits", "tasks.record", CONCURRENT, WAITING, slots=(4, 512)),
    App("eager", "waits", "tasks.send", CONCURRENT, WAITING, slots=(16, 512)),
    App("custom_class", "computes", "tasks.total", frozenset({"prefork"}), frozenset({"cpu"}),
        wrong=frozenset({"solo", "threads", "gevent"}), slots=(2, 16)),
    App("pydantic_models", "waits", "tasks.confirm", CONCURRENT, WAITING, slots=(16, 512)),
    App("process_connection", "waits", "tasks.query", frozenset({"prefork"}), WAITING,
        wrong=frozenset({"solo", "threads", "gevent"}), slots=(8, 512)),
    App("src_layout", "waits", "shop.price", CONCURRENT, WAITING, slots=(16, 512),
        app="shop.worker:celery_app", subdirectory="src"),
    App("routed", "waits", "tasks.resize", CONCURRENT, WAITING, slots=(16, 512)),
)  # fmt: skip
"""All apps: the examples, common tasks, and settings and habits of apps."""


def app_named(name: str, task: str | None = None) -> App:
    """The app in the folder of that name; ``task`` chooses one of several."""
    return next(app for app in APPS if app.name == name and task in (None, app.task))
