"""Finds the name of the container that this process runs in; a container itself knows only its id.

Docker's DNS server knows the names of all containers of a network; podman writes a container's own
name into its ``/etc/hosts``.
"""

import socket
import subprocess

LOOKUP_S = 5.0
"""Seconds to wait for the DNS server; it answers within milliseconds."""


def container_name(prefix: str) -> str | None:
    """Name of this container without ``prefix``, such as ``prefork-1``.

    ``None`` if its name cannot be found, or does not begin with ``prefix``.
    """
    try:
        address = socket.gethostbyname(socket.gethostname())
        # One at a time: in Docker's /etc/hosts the address belongs to the container's id.
        answers = [_lookup(address, service) for service in ("files", "dns")]
    except (OSError, subprocess.TimeoutExpired):
        return None
    return name_in(" ".join(answers), prefix)


def name_in(answers: str, prefix: str) -> str | None:
    """The first name with ``prefix`` in lines ``ADDRESS NAME[.NETWORK]...``, without ``prefix``."""
    words = (word for word in answers.split() if word.startswith(prefix))
    names = (word.partition(".")[0].removeprefix(prefix) for word in words)
    return next(filter(None, names), None)


def _lookup(address: str, service: str) -> str:
    """The lines of ``getent`` for an address, from ``/etc/hosts`` or from the DNS server."""
    command = ["getent", f"--service={service}", "hosts", address]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=LOOKUP_S
    ).stdout
