"""Flower, the web monitor of Celery: its command line and its health check.

In a container ``python -m poolrace.producer.cluster.flower`` runs Flower, and with the argument
``check`` it is the container's health check.
"""

import base64
import os
import ssl
import sys
from collections.abc import Mapping
from http import HTTPStatus
from urllib.request import Request, urlopen

from poolrace.producer.cluster.ports import LOOPBACK
from poolrace.producer.settings import FLOWER_PREFIX, Settings

FLOWER_PORT = 5555
"""TCP port of Flower by default."""

FLOWER_ANSWER_S = 4.0
"""Seconds to wait for Flower's answer; Flower queries Redis before it answers."""

COLUMNS = "name,uuid,args,state,received,runtime,worker"
"""Columns of Flower's list of tasks; with one more, the list is wider than a window of 1440 pixels.
The task's id, ``uuid``, begins with the job and links to the task's page."""


def flower_command(address: str, port: int) -> list[str]:
    """Flower's command line. Login and broker come from the environment."""
    return [
        *(sys.executable, "-m", "celery", "--app", "poolrace.workers.tasks", "flower"),
        *(f"--address={address}", f"--port={port}", f"--tasks_columns={COLUMNS}"),
        "--unix_socket=",  # instead of FLOWER_UNIX_SOCKET, with which Flower has no port
    ]


def flower_url(port: int | str, variables: Mapping[str, str] | None = None) -> str:
    """Address of a Flower with these environment ``variables``, on a port of this machine."""
    variables = variables or {}
    scheme = "https" if variables.get("FLOWER_CERTFILE") else "http"
    prefix = variables.get("FLOWER_URL_PREFIX", "").strip("/")
    return f"{scheme}://{LOOPBACK}:{port}" + (f"/{prefix}" if prefix else "")


def flower_answers(url: str, login: str) -> bool:
    """Whether the Flower at ``url`` accepts the login ``USER:PASSWORD`` and reaches the broker.

    The request makes Flower ask the broker for the queues' lengths; Flower's own
    ``/healthcheck`` always says OK.
    """
    token = base64.b64encode(login.encode()).decode()
    request = Request(f"{url}/api/queues/length", headers={"Authorization": f"Basic {token}"})  # noqa: S310 # an address of our own
    # The address is this machine's, so its certificate proves nothing.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with urlopen(request, timeout=FLOWER_ANSWER_S, context=context) as response:  # noqa: S310 # as above
            return bool(response.status == HTTPStatus.OK)
    except OSError:  # another Flower, with another login, answers with an HTTPError
        return False


def main() -> None:
    """Run Flower; with the argument ``check`` exit with 0 if this container's Flower works."""
    if sys.argv[1:] == ["check"]:
        settings = Settings.from_env()
        url = flower_url(FLOWER_PORT, settings.flower_variables)
        sys.exit(not flower_answers(url, settings.flower_login or ""))
    # Every address of the container; the host publishes one port of it.
    command = flower_command("0.0.0.0", FLOWER_PORT)  # noqa: S104 # see above
    # Compose passes on a variable that is set to nothing, which would end Flower.
    environment = {
        name: value
        for name, value in os.environ.items()
        if value or not name.startswith(FLOWER_PREFIX)
    }
    os.execve(sys.executable, command, environment)  # noqa: S606 # no shell is wanted


if __name__ == "__main__":
    main()
