"""What a cluster consists of at the moment, and what of the local one is missing."""

from dataclasses import dataclass, field
from typing import Any

from poolrace.producer.broker.client import HOW_TO_START, connect, translate_errors
from poolrace.producer.broker.workers import present_workers
from poolrace.producer.cluster.lifecycle import Cluster, local_of
from poolrace.producer.settings import Settings
from poolrace.workers.errors import ClusterError
from poolrace.workers.runtime.presence import Presence
from poolrace.workers.settings import mask


@dataclass(frozen=True)
class Status:
    """The workers that are there, and the parts of the local cluster that are not."""

    broker: str
    """Its address, without the password."""
    workers: list[Presence]
    missing: list[str] = field(default_factory=list)
    local: Cluster | None = None

    def to_json(self) -> dict[str, Any]:
        """The status as a JSON object."""
        return {
            "broker": self.broker,
            "workers": [worker.to_json() for worker in self.workers],
            "missing": self.missing,
            "flower": self.local.flower_url if self.local else None,
        }


def status(settings: Settings) -> Status:
    """Of the given cluster, else of the local one; raises ``ClusterError`` if there is none."""
    local = local_of(settings)
    url = settings.broker_url or (local and local.broker_url)
    if not url:
        raise ClusterError(f"no cluster is running here; {HOW_TO_START}")
    missing = local.broken_parts() if local else []
    if "redis" in missing:
        return Status(mask(url), [], missing, local)
    with translate_errors(url):
        return Status(mask(url), present_workers(connect(url, settings.ca_file)), missing, local)
