"""Whether Flower is there and serves; ``python -m producer.cluster.flower`` as a health check."""

import base64
import sys
from http import HTTPStatus
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from workers.errors import ClusterError
from workers.settings import Settings

FLOWER_PORT = 5555
"""Flower's own default."""

ANSWER_S = 4.0


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
    """Exit code 0 if the Flower of this container serves and reaches the broker."""
    url = f"http://127.0.0.1:{FLOWER_PORT}"
    sys.exit(0 if answers(url, Settings.from_env().flower_login or "") else 1)


if __name__ == "__main__":
    main()
