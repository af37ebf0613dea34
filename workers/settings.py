"""All settings that come from outside: the one reader of the environment and of ``.env``.

The broker and the result backend go by Celery's own names, everything else starts with
``POOLRACE_``. Defaults are written here and nowhere else.
"""

import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values

from poolrace.workers.errors import UsageError

STATE_DIR = ".poolrace"
"""Where the local cluster lives, relative to the current directory."""

_PASSWORD = re.compile(r"(?P<before>:/+[^:/@\s]*):(?!PASSWORD@)\S*@")


@dataclass(frozen=True)
class Settings:
    """One immutable set of settings; its repr shows no password."""

    broker_url: str | None = field(default=None, repr=False)
    """Redis URL of the broker, ``None``: whatever cluster is running locally."""
    result_backend: str | None = field(default=None, repr=False)
    """Redis URL of the result backend, ``None``: the same server as the broker."""
    state_dir: Path = Path(STATE_DIR)
    """Directory of the local cluster that ``producer up`` starts."""
    host: str = field(default_factory=socket.gethostname)
    """Name of this host in results and in worker names (``POOL@host``)."""
    slots: int | None = None
    """Chunks at a time of a worker that is started here, ``None``: the pool's default."""
    lasting: bool = True
    """Whether the cluster outlives the command, and a job in it can be resumed."""
    patience_s: int = 120
    """Seconds that a run waits for Redis, or for a worker, to come back before it gives up."""
    heartbeat_file: Path | None = None
    """File that a worker touches as long as it is well, ``None``: no such file."""
    flower_login: str | None = field(default=None, repr=False)
    """``USER:PASSWORD`` of Flower, by Flower's own name ``FLOWER_BASIC_AUTH``."""
    ca_file: Path | None = None
    """Certificates to trust for ``rediss://``, ``None``: those that the system trusts."""

    @classmethod
    def from_env(cls, broker_url: str | None = None) -> "Settings":
        """Read the environment; what stands in ``./.env`` fills the gaps.

        ``broker_url`` (a command's ``--broker``) goes before both, and then the result
        backend is the same server. Raises ``UsageError`` for a value that cannot be used.
        """
        values = {**_dotenv(), **os.environ}
        given = {
            "broker_url": _redis_url(
                "--broker" if broker_url else "CELERY_BROKER_URL",
                broker_url or values.get("CELERY_BROKER_URL"),
            ),
            "result_backend": broker_url
            or _redis_url("CELERY_RESULT_BACKEND", values.get("CELERY_RESULT_BACKEND")),
            "state_dir": _path(values.get("POOLRACE_STATE_DIR")),
            "host": values.get("POOLRACE_HOST"),
            "slots": _positive(values, "POOLRACE_SLOTS"),
            "patience_s": _positive(values, "POOLRACE_PATIENCE_S"),
            "heartbeat_file": _path(values.get("POOLRACE_HEARTBEAT_FILE")),
            "flower_login": values.get("FLOWER_BASIC_AUTH"),
            "ca_file": _readable(values, "POOLRACE_CA_FILE"),
        }
        return cls(**{name: value for name, value in given.items() if value})  # type: ignore[arg-type] # each value has the type of its field, which mypy cannot see through a dict


def mask(text: str) -> str:
    """Replace the password of every URL in ``text`` by stars."""
    return _PASSWORD.sub(r"\g<before>:***@", text)


def inherited_environment(**overrides: str) -> dict[str, str]:
    """The environment for a process that we start: ours, with ``overrides``."""
    return {**os.environ, **overrides}


def _dotenv() -> Mapping[str, str]:
    path = Path(".env")
    try:
        return {k: v for k, v in dotenv_values(path).items() if v} if path.is_file() else {}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}; mend the file or remove it") from error


def _redis_url(name: str, url: str | None) -> str | None:
    if not url:
        return None
    try:
        parts = urlsplit(url)
        whole = parts.scheme in ("redis", "rediss") and parts.hostname and parts.port != 0
    except ValueError:
        whole = False
    if not whole:
        raise UsageError(
            f"{name}: {mask(url)!r} is not a Redis address; write redis://:PASSWORD@HOST:PORT/0"
        )
    return url


def _path(value: str | None) -> Path | None:
    return Path(value) if value else None


def _readable(values: Mapping[str, str], name: str) -> Path | None:
    path = _path(values.get(name))
    if path and not path.is_file():
        raise UsageError(f"{name}: there is no file {str(path)!r}; give the path of certificates")
    return path


def _positive(values: Mapping[str, str], name: str) -> int | None:
    value = values.get(name)
    if not value:
        return None
    if not value.isdecimal() or int(value) == 0:
        raise UsageError(f"{name}: {value!r} is not a whole number above 0")
    return int(value)
