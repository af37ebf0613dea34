"""The producer's connection to Redis, and the one place that translates Redis' errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import redis
from kombu.exceptions import BatchPublishError, OperationalError
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.retry import Retry

from workers.errors import ClusterError, UsageError
from workers.settings import mask

CONNECT_S = 1.5
ANSWER_S = 3.0

KOMBU_ERRORS = (OperationalError, BatchPublishError)
"""How kombu reports that it could not send; what it was about to send may have arrived."""

NO_PATIENCE = Retry(NoBackoff(), 0)
"""A first connection is tried once: whoever waits for it wants to know."""

PATIENCE = Retry(
    ExponentialBackoff(cap=1.0, base=0.05),
    12,
    supported_errors=(redis.ConnectionError, redis.TimeoutError, *KOMBU_ERRORS),
)
"""A connection that worked once is tried again for about 10 s: a restart of Redis is no error."""

HOW_TO_START = "start a cluster with: make up, or: producer up"


def connect(url: str, ca_file: Path | None = None) -> "redis.Redis":
    """A client for that Redis that has been answered once; raises ``ClusterError``.

    ``ca_file`` holds the certificates to trust for ``rediss://``, by default the system's.
    """
    trust = {"ssl_ca_certs": str(ca_file)} if ca_file and url.startswith("rediss:") else {}
    with translated(url):
        client = redis.Redis.from_url(
            url,
            **trust,
            socket_connect_timeout=CONNECT_S,
            socket_timeout=ANSWER_S,
            socket_keepalive=True,
            retry=NO_PATIENCE,
        )
        client.ping()
        client.set_retry(PATIENCE)
    return client


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Turn the errors of redis-py and kombu into ``ClusterError``."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise UsageError(f"{mask(url)} is not a Redis address: {error}") from error
    except redis.AuthenticationError as error:
        raise ClusterError(
            f"Redis at {_place(url)} refuses the password; mend the address"
            " (--broker or CELERY_BROKER_URL)"
        ) from error
    except (redis.RedisError, *KOMBU_ERRORS) as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise ClusterError(
                f"the certificate of Redis at {_place(url)} is not trusted: {mask(str(error))};"
                " POOLRACE_CA_FILE must name the ca.crt of its cluster"
            ) from error
        raise ClusterError(
            f"cannot work with Redis at {_place(url)}: {mask(str(error))}; {HOW_TO_START}"
        ) from error


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 6379}"
