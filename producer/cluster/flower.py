"""Flower: how it is started, and whether it serves.

In a container ``python -m poolrace.producer.cluster.flower`` becomes Flower, and with ``check``
it is the health check.
"""

import base64
import os
import sys
from http import HTTPStatus
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from poolrace.producer.settings import Settings
from poolrace.workers.errors import ClusterError

FLOWER_PORT = 5555
"""Flower's own default."""

ANSWER_S = 4.0

COLUMNS = "name,args,kwargs,state,received,runtime,worker"
"""Of its list of tasks: the range and the job in place of the task's id, which says the same."""


def flower_command(address: str, port: int) -> list[str]:
    """Flower's command line. Login and broker come from the environment."""
    return [
        *(sys.executable, "-m", "celery", "--app", "poolrace.workers.tasks", "flower"),
        *(f"--address={address}", f"--port={port}", f"--tasks_columns={COLUMNS}"),
    ]


def answers(url: str, login: str) -> bool:
    """Whether the Flower at that address knows the login ``USER:PASSWORD`` and sees the broker.

    It has to ask the broker for the queues' lengths; its own ``/healthcheck`` always says OK.
    Raises ``ClusterError`` if it knows another login.
    """
    token = base64.b64encode(login.encode()).decode()
    request = Request(f"{url}/api/queues/length", headers={"Authorization": f"Basic {token}"})  # noqa: S310 # an address of our own
    try:
        with urlopen(request, timeout=ANSWER_S) as response:  # noqa: S310 # as above
            return bool(response.status == HTTPStatus.OK)
    except HTTPError as error:
        if error.code == HTTPStatus.UNAUTHORIZED:
            raise ClusterError(
                f"another Flower answers at {url}; give a --flower-port of your own"
            ) from error
        return False
    except OSError:
        return False


def main() -> None:
    """Become Flower; with ``check`` exit with 0 if the Flower of this container serves."""
    if sys.argv[1:] == ["check"]:
        login = Settings.from_env().flower_login or ""
        sys.exit(not answers(f"http://127.0.0.1:{FLOWER_PORT}", login))
    # Every address of the container, of which the host publishes one port.
    command = flower_command("0.0.0.0", FLOWER_PORT)  # noqa: S104 # see above
    os.execv(sys.executable, command)  # noqa: S606 # no shell is wanted


if __name__ == "__main__":
    main()
