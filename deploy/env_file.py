"""``.env``: name, passwords and ports of the cluster in containers. ``make up`` writes it once."""

import hashlib
import os
import re
import secrets
from pathlib import Path

from poolrace.producer.broker.client import REDIS_PORT
from poolrace.producer.cluster.flower import FLOWER_PORT
from poolrace.producer.cluster.ports import LOOPBACK, free_port, is_free
from poolrace.producer.cluster.state import write_private
from poolrace.workers.errors import UsageError
from poolrace.workers.settings import read_dotenv

ROOT = Path(__file__).resolve().parent.parent
ENV_FILE = ROOT / ".env"

REDIS_PASSWORD = "POOLRACE_REDIS_PASSWORD"  # noqa: S105 # the variable's name
FLOWER_LOGIN = "FLOWER_BASIC_AUTH"
SECRETS = (REDIS_PASSWORD, FLOWER_LOGIN)

FLOWER_PORT_VARIABLE = "POOLRACE_FLOWER_PORT"
PORTS = {"POOLRACE_REDIS_PORT": REDIS_PORT, FLOWER_PORT_VARIABLE: FLOWER_PORT}
"""Variables that hold the published ports of this machine, with their default ports."""

BIND = "POOLRACE_BIND"
"""Variable that holds the address of this machine at which Redis is published."""

PROJECT = "COMPOSE_PROJECT_NAME"
"""Compose's variable for the project name, which all containers of a cluster share."""

RESERVED_IN_URLS = frozenset("\"'\\@:/?#% $")
"""Characters that a password may not have, because it is inserted into a URL and a shell line."""

TEXT = """\
# Written once by `make up`, read by docker compose and by producer. It holds passwords: keep
# it to yourself. To get new ones: make down, remove this file, make up.
COMPOSE_PROJECT_NAME={project}
POOLRACE_REDIS_PASSWORD={password}
POOLRACE_REDIS_PORT={redis_port}
POOLRACE_FLOWER_PORT={flower_port}
FLOWER_BASIC_AUTH={login}
CELERY_BROKER_URL=redis://:${{POOLRACE_REDIS_PASSWORD}}@{loopback}:${{POOLRACE_REDIS_PORT}}/0
"""


def read_env_file() -> dict[str, str]:
    """Read the variables in ``.env``, with default ports; write the file first if it is missing.

    Raises ``UsageError`` if a value is missing or cannot be used.
    """
    if not ENV_FILE.exists():
        _write()
    # Compose, too, prefers the environment to the file.
    given = {name: os.environ[name] for name in (*PORTS, BIND) if os.environ.get(name)}
    values = {**read_dotenv(), **given}
    for name in SECRETS:
        if name not in values:
            raise _invalid(f"lacks {name}")
    if ":" not in values[FLOWER_LOGIN]:
        raise _invalid(f"has a {FLOWER_LOGIN} that is not USER:PASSWORD")
    if RESERVED_IN_URLS & set(values[REDIS_PASSWORD]):
        raise _invalid(f"has a {REDIS_PASSWORD} with a character that has a meaning in URLs")
    for name, default in PORTS.items():
        port = values.setdefault(name, str(default))
        if not port.isdecimal() or not 0 < int(port) < 65536:
            raise _invalid(f"has {name}={port}, which is not a port")
    if PROJECT not in values:
        # `docker compose` typed by hand must find the same containers as make.
        values[PROJECT] = project_name()
        write_variable(PROJECT, values[PROJECT])
    return values


def project_name() -> str:
    """Compose project name: from the environment, from ``.env``, or derived from this directory.

    The derived name differs between two clones, so that each has a cluster of its own.
    """
    return os.environ.get(PROJECT) or stored_project_name() or derived_project_name(ROOT)


def derived_project_name(directory: Path) -> str:
    """Compose project name of the clone in ``directory``, unless another one is set."""
    digest = hashlib.sha256(str(directory).encode(errors="surrogateescape")).hexdigest()
    return f"poolrace-{digest[:8]}"


def stored_project_name() -> str | None:
    """Compose project name in ``.env``, which ``docker compose`` uses when typed by hand."""
    return read_dotenv().get(PROJECT)


def write_variable(name: str, value: str) -> None:
    """Set a variable in ``.env``: replaces its line, or adds one."""
    text = ENV_FILE.read_text()
    line, pattern = f"{name}={value}", re.compile(rf"^{name}=.*$", re.MULTILINE)
    if pattern.search(text):
        text = pattern.sub(lambda _: line, text)
    else:
        text = f"{text.rstrip()}\n{line}\n"
    write_private(ENV_FILE, text)


def _invalid(problem: str) -> UsageError:
    return UsageError(
        f".env {problem}; correct the line, or remove .env and make up writes a new one"
    )


def _write() -> None:
    redis_port, flower_port = (p if is_free(p) else free_port() for p in PORTS.values())
    text = TEXT.format(
        project=project_name(),
        password=secrets.token_urlsafe(24),
        redis_port=redis_port,
        flower_port=flower_port,
        login=f"poolrace:{secrets.token_urlsafe(12)}",
        loopback=LOOPBACK,
    )
    write_private(ENV_FILE, text)
