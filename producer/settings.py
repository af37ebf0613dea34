"""Settings of the producer: the settings of a worker and the producer's own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from poolrace.workers.settings import WorkerSettings, path_of, positive

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
    flower_login: str | None = field(default=None, repr=False)
    """``USER:PASSWORD`` of Flower, from Flower's own variable ``FLOWER_BASIC_AUTH``."""

    @classmethod
    def _read(cls, values: Mapping[str, str], broker_url: str | None) -> dict[str, Any]:
        return {
            **super()._read(values, broker_url),
            "state_dir": path_of(values.get("POOLRACE_STATE_DIR")),
            "patience_s": positive(values, "POOLRACE_PATIENCE_S"),
            "flower_login": values.get("FLOWER_BASIC_AUTH"),
        }
