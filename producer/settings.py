"""Settings of the producer: the settings of a worker and the producer's own."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from poolrace.workers.settings import WorkerSettings, path_of, positive

FLOWER_PREFIX = "FLOWER_"
"""Prefix of the names of Flower's own variables."""

STATE_DIR = ".poolrace"
"""Default directory of the local cluster, relative to the current directory."""


@dataclass(frozen=True)
class Settings(WorkerSettings):
    """The producer's settings, immutable; the repr shows no password."""

    state_dir: Path = Path(STATE_DIR)
    """Directory with the state of the local cluster."""
    lasting: bool = True
    """Whether the cluster outlives the command, so that an interrupted job can be resumed."""
    patience_s: int = 120
    """Seconds that a run waits for Redis or a worker to come back before the run fails."""
    flower_variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Flower's own variables, ``FLOWER_...``, by name."""
    flower_port: int | None = None
    """Port of Flower in a local cluster, from Flower's ``FLOWER_PORT``, ``None``: a free port."""
    broker_from_make_up: bool = False
    """Whether the broker's address is the one that ``make up`` wrote into ``.env``, which stays
    there when the cluster in containers is stopped."""

    @property
    def flower_login(self) -> str | None:
        """``USER:PASSWORD`` of Flower, ``None``: a random password."""
        return self.flower_variables.get("FLOWER_BASIC_AUTH")

    @classmethod
    def _read(cls, values: Mapping[str, str], broker_url: str | None) -> dict[str, Any]:
        return {
            **super()._read(values, broker_url),
            "state_dir": path_of(values.get("POOLRACE_STATE_DIR")),
            "patience_s": positive(values, "POOLRACE_PATIENCE_S"),
            "flower_variables": {
                name: value
                for name, value in values.items()
                if name.startswith(FLOWER_PREFIX) and value
            },
            "flower_port": positive(values, "FLOWER_PORT"),
            "broker_from_make_up": _is_from_make_up(values, broker_url),
        }


def _is_from_make_up(values: Mapping[str, str], broker_url: str | None) -> bool:
    """Whether the broker's address has the password that ``make up`` wrote into ``.env``."""
    if broker_url or "CELERY_BROKER_URL" in os.environ:
        return False
    password = values.get("POOLRACE_REDIS_PASSWORD")
    return bool(password) and urlsplit(values.get("CELERY_BROKER_URL")).password == password
