"""The producer's connection to Redis, and the one place that translates Redis' errors."""

import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import redis
from kombu.exceptions import BatchPublishError, OperationalError
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.retry import Retry

from poolrace.workers.errors import ClusterError, UsageError
from poolrace.workers.runtime.redis_errors import is_transient
from poolrace.workers.settings import mask

T = TypeVar("T")

REDIS_PORT = 6379
"""TCP port of a Redis address that names none: Redis' own default."""

CONNECT_S = 1.5
ANSWER_S = 3.0

KOMBU_ERRORS = (OperationalError, BatchPublishError)
"""How kombu reports that it could not send; what it was about to send may have arrived."""

NO_RETRY = Retry(NoBackoff(), 0)
"""A first connection is tried once: whoever waits for it wants to know."""

TOLD_S = 2.0
"""Seconds of waiting after which the user is told."""


class TimedRetry(Retry):
    """A connection that worked once is tried again for so many seconds."""

    _told = -math.inf

    def __init__(self, seconds: float) -> None:
        errors = (redis.ConnectionError, redis.TimeoutError, redis.ResponseError, *KOMBU_ERRORS)
        super().__init__(ExponentialBackoff(cap=1.0, base=0.05), -1, errors)
        self.seconds = seconds

    def call_with_retry(
        self,
        do: Callable[[], T],
        fail: Callable[..., Any],
        is_retryable: Callable[[Exception], bool] | None = None,
        with_failure_count: bool = False,  # noqa: FBT001, FBT002 # redis-py's signature
    ) -> T:
        """As redis-py does, but counts seconds instead of attempts, and says that it waits."""
        began = time.monotonic()

        def failed(error: Exception, failures: int) -> None:
            fail(*((error, failures) if with_failure_count else (error,)))
            waited_s = time.monotonic() - began
            if waited_s > self.seconds or not is_transient(error):
                raise error
            if waited_s > TOLD_S and time.monotonic() - self._told > self.seconds:
                self._told = time.monotonic()
                logger.warning(
                    "Redis does not answer as it should (%s); waiting up to %g s",
                    mask(str(error)), self.seconds,
                )  # fmt: skip

        return super().call_with_retry(do, failed, is_retryable, with_failure_count=True)


logger = logging.getLogger(__name__)

HOW_TO_START = "start a cluster with: make up, or: producer up"


def connect(url: str, ca_file: Path | None = None) -> "redis.Redis":
    """A client for that Redis that has been answered once.

    Raises ``ClusterError`` if it was not, and ``UsageError`` for what is no address.

    It tries once; who would rather wait gives it a ``TimedRetry``.

    ``ca_file`` holds the certificates to trust for ``rediss://``, by default the system's.
    """
    trust = {"ssl_ca_certs": str(ca_file)} if ca_file and url.startswith("rediss:") else {}
    try:
        client = redis.Redis.from_url(
            url,
            **trust,
            socket_connect_timeout=CONNECT_S,
            socket_timeout=ANSWER_S,
            socket_keepalive=True,
            retry=NO_RETRY,
        )
        with translated(url):
            client.ping()
    except (ValueError, TypeError) as error:
        raise UsageError(f"{mask(url)} is not a Redis address: {error}") from error
    return client


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Turn the errors of redis-py and kombu into ``ClusterError``."""
    try:
        yield
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
    return f"{parts.hostname}:{parts.port or REDIS_PORT}"
