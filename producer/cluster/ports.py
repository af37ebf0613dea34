"""Ports on loopback: which are free, and whether somebody answers on one."""

import base64
import socket
from http import HTTPStatus
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from workers.errors import ClusterError

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Whether a server could listen on that port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def answers(url: str, login: str) -> bool:
    """Whether the Flower at that address is the one that knows the login ``USER:PASSWORD``."""
    token = base64.b64encode(login.encode()).decode()
    request = Request(f"{url}/api/task/types", headers={"Authorization": f"Basic {token}"})  # noqa: S310 # an address of our own
    try:
        with urlopen(request, timeout=2.0) as response:  # noqa: S310 # as above
            return bool(response.status == HTTPStatus.OK)
    except HTTPError as error:
        if error.code == HTTPStatus.UNAUTHORIZED:
            raise ClusterError(
                f"another Flower answers at {url}; give a --flower-port of your own"
            ) from error
        return False
    except OSError:
        return False
