"""Makes the file that a further machine starts its workers from, and the steps to do so.

The services of the file are those of docker-compose.yml, without its network: workers reach Redis
at its public address. They need no clone, no ``.env`` and no other file.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from poolrace.producer.broker.client import REDIS_PORT
from poolrace.producer.executors.models import Model
from poolrace.workers.errors import UsageError

JOIN_FILE = Path("join.yml")
"""File for the further machines, relative to the root of the clone."""

ONLY_HERE = ("build", "depends_on", "networks", "scale", "volumes")
"""Keys of a service that make no sense on a further machine."""

CA_FILE = "/tmp/ca.crt"  # noqa: S108 # the only writable directory of the container
"""Path of the certificates in the container."""

HEADER = """\
# Starts workers of the cluster {project} on a further machine; `make join` wrote it.
# It holds the password of Redis: keep it to yourself.
#
#   docker compose -f {file} up --detach --wait
#   docker compose -f {file} down
#
# The host is named like the machine in results; POOLRACE_HOST gives it another name.
"""


@dataclass(frozen=True)
class Broker:
    """The Redis of the cluster, as further machines reach it."""

    url: str
    """Redis URL, with the password."""
    certificates: str | None
    """Certificates to trust for ``rediss://``, in PEM; ``None``: those of the system."""

    @classmethod
    def at(cls, url: str | None, ca_file: Path | None) -> "Broker":
        """The broker at ``url``; raises ``UsageError`` if other machines cannot reach it."""
        host = urlsplit(url or "").hostname
        if not url or not host or _is_loopback(host):
            raise UsageError(
                f"CELERY_BROKER_URL in .env names {host or 'no host'}, which other machines cannot"
                " reach; first open the cluster to them: deploy/README.md, step 1"
            )
        is_encrypted = urlsplit(url).scheme == "rediss"
        return cls(url, ca_file.read_text() if is_encrypted and ca_file else None)

    @property
    def host(self) -> str:
        """Host name or address of Redis."""
        return str(urlsplit(self.url).hostname)

    @property
    def port(self) -> int:
        """TCP port of Redis."""
        return urlsplit(self.url).port or REDIS_PORT

    @property
    def is_encrypted(self) -> bool:
        """Whether connections use TLS."""
        return urlsplit(self.url).scheme == "rediss"


def join_file(config: Mapping[str, Any], pools: Sequence[Model], broker: Broker) -> str:
    """Text of the file, with a service for each of ``pools``.

    ``config`` is docker-compose.yml with all variables resolved. Raises ``UsageError`` for a pool
    that is given twice: workers of one name count as one.
    """
    names = [pool.name for pool in pools]
    for name in set(names):
        if names.count(name) > 1:
            raise UsageError(f"pool {name} is given twice; give {name}:SLOTS for more slots")
    body = {
        "name": f"{config['name']}-join",
        "services": {
            pool.name: _service(config["services"][pool.name], pool, broker) for pool in pools
        },
    }
    # Compose reads YAML, and JSON is YAML.
    header = HEADER.format(project=config["name"], file=JOIN_FILE)
    return f"{header}{json.dumps(body, indent=2)}\n"


def _service(service: Mapping[str, Any], pool: Model, broker: Broker) -> dict[str, Any]:
    command = [*service["command"], *(["--slots", str(pool.slots)] if pool.slots else [])]
    environment = {
        "POOLRACE_HEARTBEAT_FILE": service["environment"]["POOLRACE_HEARTBEAT_FILE"],
        "CELERY_BROKER_URL": broker.url.replace("$", "$$"),
        "POOLRACE_HOST": "${POOLRACE_HOST:-}",
    }
    if broker.certificates:
        environment |= {"POOLRACE_CA": broker.certificates, "POOLRACE_CA_FILE": CA_FILE}
        write = 'printf %s "$$POOLRACE_CA" > "$$POOLRACE_CA_FILE" && exec "$$@"'
        command = ["sh", "-c", write, "sh", *command]
    kept = {name: value for name, value in service.items() if name not in ONLY_HERE}
    # The container has the machine's host name, so that results show a name that people know.
    return {**kept, "command": command, "environment": environment, "uts": "host"}


def render_steps(image: str, broker: Broker) -> str:
    """Text with the commands that start the workers of a further machine."""
    copy = f"docker push {image}" if "/" in image else f"docker save {image} | ssh left docker load"
    match = f"-m conntrack --ctorigdst {broker.host} --ctorigdstport {broker.port}"
    encryption = "TLS" if broker.is_encrypted else "no TLS: use a private network only"
    return f"""\
{JOIN_FILE} is written ({encryption}). It holds the password of Redis; only you can read it.
For each further machine, here called left:
  {copy}
  scp -p {JOIN_FILE} left:
  ssh left docker compose -f {JOIN_FILE} up --detach --wait
Only these machines need to reach port {broker.port} of {broker.host}. Firewall, once:
  sudo iptables -I DOCKER-USER -p tcp {match} --ctdir ORIGINAL -j DROP
and for each further machine, with its address:
  sudo iptables -I DOCKER-USER -p tcp -s ADDRESS {match} -j RETURN
The new workers are listed by: producer status
"""


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
