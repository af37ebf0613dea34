"""Packet loss of a container: iptables in its network namespace, from a second container."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.cluster.conftest import docker
from tests.cluster.containers.conftest import TOOLS


@contextmanager
def dropping(container: str, chains: Sequence[str], part: float = 1.0) -> Iterator[None]:
    """Drop ``part`` of the packets in (``INPUT``) or out (``OUTPUT``) during the block."""
    chance = ["--match", "statistic", "--mode", "random", "--probability", str(part)]
    rules = [[chain, *(chance if part < 1 else ()), "--jump", "DROP"] for chain in chains]
    for rule in rules:
        _iptables(container, "--append", *rule)
    try:
        yield
    finally:
        for rule in rules:
            _iptables(container, "--delete", *rule)


def _iptables(container: str, *arguments: str) -> None:
    docker(
        *("run", "--rm", "--user", "0", "--network", f"container:{container}"),
        *("--cap-drop", "ALL", "--cap-add", "NET_ADMIN", "--cap-add", "NET_RAW"),
        *(TOOLS, "iptables", *arguments),
    )
