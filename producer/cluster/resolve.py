"""Chooses the cluster that a command uses.

In this order: ``--broker``; ``CELERY_BROKER_URL`` in the environment or in ``.env``, unless
``make up`` wrote it there and its cluster is stopped; the local cluster that ``producer up``
started; a temporary cluster, for commands that can start one. The modules that start clusters are
imported only for that.
"""

import logging
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from poolrace.producer.broker.client import CONNECT_TIMEOUT_S, HOW_TO_START, REDIS_PORT
from poolrace.producer.cluster.ports import LOOPBACK
from poolrace.producer.cluster.state import Cluster, read_state
from poolrace.producer.settings import Settings
from poolrace.workers.errors import ClusterError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ResolvedCluster:
    """The cluster that a command uses, if there is one."""

    local: Cluster | None
    """The local cluster, ``None`` if there is none or the settings name another broker."""
    given: Settings
    """Settings from the environment and the command line, without a stopped broker."""

    @property
    def exists(self) -> bool:
        """Whether the settings name a broker, or a local cluster exists."""
        return bool(self.given.broker_url or self.local)

    @property
    def settings(self) -> Settings:
        """Settings that name the broker; raises ``ClusterError`` if there is no cluster."""
        if self.given.broker_url:
            return self.given
        if self.local is None:
            raise ClusterError(f"no cluster is running here; {HOW_TO_START}")
        return replace(self.given, broker_url=self.local.broker_url, result_backend=None)


def resolve(settings: Settings) -> ResolvedCluster:
    """Find the cluster that commands with these settings use; starts none."""
    local = read_state(settings)
    if settings.broker_from_make_up and _refuses_connections(str(settings.broker_url)):
        settings = replace(settings, broker_url=None, result_backend=None)
    if local and settings.broker_url not in (None, local.broker_url):
        local = None
    return ResolvedCluster(local, settings)


def unusable_pools(settings: Settings, pools: Iterable[str]) -> dict[str, str]:
    """The pools that a temporary cluster cannot run, each with the reason.

    None if there is a cluster: its workers have other packages.
    """
    from poolrace.producer.cluster.hosts import unusable_here  # noqa: PLC0415 # see above

    reasons = unusable_here(pools)
    return {} if reasons and resolve(settings).exists else reasons


@contextmanager
def cluster_for(
    settings: Settings, pools: Mapping[str, int], *, hosts: int = 1, flower: bool = False
) -> Iterator[Settings]:
    """Yield settings that name the broker of the resolved cluster, or of a new temporary one.

    ``pools``, the slots by pool, ``hosts`` and ``flower`` describe the temporary cluster; a
    cluster that runs already stays as it is.
    """
    resolved = resolve(settings)
    if resolved.local and (broken := resolved.local.broken_parts()):
        logger.warning(
            "the local cluster is incomplete, missing: %s (see producer status)", ", ".join(broken)
        )
    if resolved.exists:
        yield resolved.settings
        return
    if resolved.given != settings:
        logger.info(
            "the cluster of make up, whose address is in .env, is not running;"
            " a temporary one is started"
        )
    settings = resolved.given
    from poolrace.producer.cluster.lifecycle import temporary  # noqa: PLC0415 # see above

    with temporary(settings, pools, hosts=hosts, flower=flower) as cluster:
        if flower:
            logger.info("Flower: %s (login %s)", cluster.flower_url, cluster.flower_login)
        yield replace(settings, broker_url=cluster.broker_url, result_backend=None, lasting=False)


def _refuses_connections(url: str) -> bool:
    """Whether the address is one of this machine, and no server listens there."""
    parts = urlsplit(url)
    if parts.hostname != LOOPBACK:
        return False
    try:
        socket.create_connection((LOOPBACK, parts.port or REDIS_PORT), CONNECT_TIMEOUT_S).close()
    except OSError as error:
        return isinstance(error, ConnectionRefusedError)
    return False
