"""A cluster in words: where it is, who works in it, what to type next."""

from producer.cluster.local import Cluster
from producer.cluster.status import Status

NEXT = """\
next:
  producer run sum --pool prefork
  producer run mixed --pool gevent
  producer compare sum
  producer status
  producer down
"""


def render(cluster: Cluster) -> str:
    """A cluster that was just started."""
    pools = ", ".join(f"{pool} ({slots} slots)" for pool, slots in cluster.pools.items())
    return f"a local cluster is running: {pools}\n{_flower(cluster)}{NEXT}"


def render_status(status: Status) -> str:
    """The workers that are there."""
    workers = [
        f"  {worker.name}: {worker.slots} slots, pid {worker.pid}, {worker.host.cores} cores,"
        f" {worker.host.python}"
        for worker in status.workers
    ]
    flower = _flower(status.local) if status.local else ""
    return "\n".join((f"broker {status.broker}", *(workers or ["  no worker"]), flower))


def _flower(cluster: Cluster) -> str:
    return f"Flower: {cluster.flower_url} (login {cluster.flower_login})\n"
