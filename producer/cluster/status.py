"""The status of a cluster: its workers, and the broken parts of a local cluster."""

from dataclasses import dataclass, field
from typing import Any

from poolrace.producer.broker.client import connect, translate_errors
from poolrace.producer.broker.workers import present_workers
from poolrace.producer.cluster.resolve import resolve
from poolrace.producer.cluster.state import Cluster
from poolrace.producer.settings import Settings
from poolrace.workers.runtime.presence import Presence
from poolrace.workers.settings import mask


@dataclass(frozen=True)
class Status:
    """The workers of a cluster and, of a local one, the parts that are missing."""

    broker: str
    """Redis URL of the broker, without the password."""
    workers: list[Presence]
    missing: list[str] = field(default_factory=list)
    local: Cluster | None = None

    def to_json(self) -> dict[str, Any]:
        """The status as a JSON object."""
        return {
            "broker": self.broker,
            "workers": [worker.to_json() for worker in self.workers],
            "missing": self.missing,
            "interpreters": self.local.interpreters if self.local else {},
            "left_out": self.local.left_out if self.local else {},
            "flower": self.local.flower_url if self.local else None,
        }


def status(settings: Settings) -> Status:
    """Status of the resolved cluster; raises ``ClusterError`` if there is none."""
    resolved = resolve(settings)
    url = str(resolved.settings.broker_url)
    local = resolved.local
    missing = local.broken_parts() if local else []
    if "redis" in missing:
        return Status(mask(url), [], missing, local)
    with translate_errors(url):
        return Status(mask(url), present_workers(connect(url, settings.ca_file)), missing, local)
