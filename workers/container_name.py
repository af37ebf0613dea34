"""Finds the name of the container that this process runs in; a container itself knows only its id.

The DNS server of the container engine knows the names of all containers of a network.
"""

import socket
import subprocess

LOOKUP_S = 5.0
"""Seconds to wait for the DNS server; it answers within milliseconds."""


def container_name(prefix: str) -> str | None:
    """Name of this container without ``prefix``, such as ``prefork-1``.

    ``None`` if the DNS server does not know the container, or if its name has another prefix.
    """
    try:
        address = socket.gethostbyname(socket.gethostname())
        # Only the DNS server is asked: in /etc/hosts the address belongs to the container's id.
        lookup = subprocess.run(
            ["getent", "--service=dns", "hosts", address],  # noqa: S607 # the image's own
            capture_output=True,
            text=True,
            check=False,
            timeout=LOOKUP_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return name_in(lookup.stdout, prefix)


def name_in(answer: str, prefix: str) -> str | None:
    """The container's name in a line ``ADDRESS NAME.NETWORK`` of getent, without ``prefix``."""
    name = "".join(answer.split()[1:2]).partition(".")[0]
    return name.removeprefix(prefix) or None if name.startswith(prefix) else None
