"""Settings of a worker, read from the environment and from the file ``.env``.

The variables of the broker and the result backend have Celery's own names; all other variables
start with ``POOLRACE_``. ``producer/settings.py`` adds the settings of the producer. Each default
is written once, in one of the two files.
"""

import os
import re
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from poolrace.workers.counts import parse_count
from poolrace.workers.errors import UsageError

_PASSWORD = re.compile(r"(?P<before>:/+[^:/@\s]*):(?!PASSWORD@)\S*@")


@dataclass(frozen=True)
class WorkerSettings:
    """Settings of a worker, immutable; the repr shows no password."""

    broker_url: str | None = field(default=None, repr=False)
    """Redis URL of the broker, ``None``: the local cluster that is running."""
    result_backend: str | None = field(default=None, repr=False)
    """Redis URL of the result backend, ``None``: the same server as the broker."""
    host: str = field(default_factory=socket.gethostname)
    """Name of this host in results and in worker names (``POOL@HOST``)."""
    container_prefix: str | None = None
    """Beginning of this container's name; the rest of the name becomes the host's, unless
    ``POOLRACE_HOST`` is set. ``None``: the host is named by ``host``."""
    slots: int | None = None
    """Concurrency of a worker started with these settings, ``None``: the pool's default."""
    heartbeat_file: Path | None = None
    """File that a healthy worker touches every second, for health checks; ``None``: no file."""
    ca_file: Path | None = None
    """File of the certificates to trust for ``rediss://``, ``None``: the system's own."""

    @classmethod
    def from_env(cls, broker_url: str | None = None) -> Self:
        """Read the environment, and ``./.env`` for variables that the environment does not set.

        ``broker_url`` (a command's ``--broker``) overrides both, and then the result backend is
        the same server. Raises ``UsageError`` for a value that cannot be used.
        """
        fields = cls._read({**read_dotenv(), **os.environ}, broker_url)
        return cls(**{name: value for name, value in fields.items() if value})

    @classmethod
    def _read(cls, values: Mapping[str, str], broker_url: str | None) -> dict[str, Any]:
        """Read the fields from variables, by name; a subclass adds its own fields."""
        return {
            "broker_url": _redis_url(
                "--broker" if broker_url else "CELERY_BROKER_URL",
                broker_url or values.get("CELERY_BROKER_URL"),
            ),
            "result_backend": broker_url
            or _redis_url("CELERY_RESULT_BACKEND", values.get("CELERY_RESULT_BACKEND")),
            "host": values.get("POOLRACE_HOST"),
            "container_prefix": (
                None if values.get("POOLRACE_HOST") else values.get("POOLRACE_CONTAINER_PREFIX")
            ),
            "slots": positive(values, "POOLRACE_SLOTS"),
            "heartbeat_file": path_of(values.get("POOLRACE_HEARTBEAT_FILE")),
            "ca_file": _readable(values, "POOLRACE_CA_FILE"),
        }


def mask(text: str) -> str:
    """The text with ``***`` in place of the password of every URL."""
    return _PASSWORD.sub(r"\g<before>:***@", text)


def inherited_environment(**overrides: str) -> dict[str, str]:
    """The environment for a child process: that of this process, with ``overrides``."""
    return {**os.environ, **overrides}


def read_dotenv() -> Mapping[str, str]:
    """The variables in ``./.env`` that have a value; raises ``UsageError`` if it is unreadable."""
    path = Path(".env")
    if not path.is_file():
        return {}
    try:
        from dotenv import dotenv_values  # noqa: PLC0415 # an interpreter of workers may lack it
    except ModuleNotFoundError as error:
        raise UsageError(
            f"cannot read {path.absolute()}: python-dotenv is not installed in {sys.prefix};"
            " install it, or start the worker in another directory"
        ) from error
    try:
        variables = dotenv_values(path)
        return {name: value for name, value in variables.items() if value}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}; correct the file or remove it") from error


def _redis_url(name: str, url: str | None) -> str | None:
    if not url:
        return None
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("redis", "rediss") and parts.hostname and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise UsageError(
            f"{name}: {mask(url)!r} is not a Redis address; write redis://:PASSWORD@HOST:PORT/0"
        )
    return url


def path_of(value: str | None) -> Path | None:
    """The value of a variable as a path; ``None`` if the variable is not set."""
    return Path(value) if value else None


def _readable(values: Mapping[str, str], name: str) -> Path | None:
    path = path_of(values.get(name))
    if path and not path.is_file():
        raise UsageError(f"{name}: there is no file {str(path)!r}; give a file of certificates")
    return path


def positive(values: Mapping[str, str], name: str) -> int | None:
    """The value of a variable as a whole number above 0; ``None`` if the variable is not set.

    Raises ``UsageError`` for any other value.
    """
    value = values.get(name)
    if not value:
        return None
    if not (number := parse_count(value)):
        raise UsageError(f"{name}: {value!r} is not a whole number above 0")
    return number
