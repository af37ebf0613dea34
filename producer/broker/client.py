"""Connects the producer to Redis, and translates the errors of redis-py and kombu."""

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
"""TCP port of Redis by default, for an address without a port."""

CONNECT_TIMEOUT_S = 1.5
"""Seconds to wait for a TCP connection to Redis."""

SOCKET_TIMEOUT_S = 3.0
"""Seconds to wait for Redis' reply to one command."""

WARN_AFTER_S = 2.0
"""Seconds of retrying after which a warning tells the user that Redis does not answer."""

KOMBU_ERRORS = (OperationalError, BatchPublishError)
"""Errors with which kombu reports a failed send; Redis may have received the messages anyway."""

NO_RETRY = Retry(NoBackoff(), 0)
"""A retry policy that tries once, so that an error of the first connection comes at once."""

HOW_TO_START = "start a cluster with: make up, or: producer up"
"""Last part of each error message about a cluster that cannot be reached."""

logger = logging.getLogger(__name__)


class TimedRetry(Retry):
    """A retry policy that repeats a Redis command until it succeeds or ``seconds`` have passed."""

    def __init__(self, seconds: float) -> None:
        errors = (redis.ConnectionError, redis.TimeoutError, redis.ResponseError, *KOMBU_ERRORS)
        super().__init__(ExponentialBackoff(cap=1.0, base=0.05), -1, errors)
        self.seconds = seconds
        self._warned_at = -math.inf

    def call_with_retry(
        self,
        do: Callable[[], T],
        fail: Callable[..., Any],
        is_retryable: Callable[[Exception], bool] | None = None,
        with_failure_count: bool = False,  # noqa: FBT001, FBT002 # redis-py's signature
    ) -> T:
        """Call ``do`` as redis-py does, but limit the retries by time and warn about the wait."""
        began = time.monotonic()

        def failed(error: Exception, failures: int) -> None:
            fail(*((error, failures) if with_failure_count else (error,)))
            waited_s = time.monotonic() - began
            if waited_s > self.seconds or not is_transient(error):
                raise error
            if waited_s > WARN_AFTER_S:
                self._warn(error)

        return super().call_with_retry(do, failed, is_retryable, with_failure_count=True)

    def _warn(self, error: Exception) -> None:
        """Log a warning that Redis does not answer, once per wait."""
        now = time.monotonic()
        if now - self._warned_at > self.seconds:
            self._warned_at = now
            logger.warning(
                "Redis does not answer (%s); waiting for it, up to %g s",
                mask(str(error)), self.seconds,
            )  # fmt: skip


def connect(url: str, ca_file: Path | None = None) -> "redis.Redis":
    """Connect to Redis at ``url``, and return the client after one successful PING.

    The connection is tried once; give the client a ``TimedRetry`` to make it patient.
    ``ca_file`` holds the certificates to trust for ``rediss://``, by default the system's.
    Raises ``ClusterError`` if Redis does not answer, and ``UsageError`` for a malformed ``url``.
    """
    trust = {"ssl_ca_certs": str(ca_file)} if ca_file and url.startswith("rediss:") else {}
    try:
        client = redis.Redis.from_url(
            url,
            **trust,
            socket_connect_timeout=CONNECT_TIMEOUT_S,
            socket_timeout=SOCKET_TIMEOUT_S,
            socket_keepalive=True,
            retry=NO_RETRY,
        )
        try:
            with translate_errors(url):
                client.ping()
        except ClusterError as error:
            _check_scheme(url, error)
            raise
    except (ValueError, TypeError) as error:
        raise UsageError(f"{mask(url)} is not a Redis address: {error}") from error
    return client


@contextmanager
def translate_errors(url: str) -> Iterator[None]:
    """Turn errors of redis-py and kombu into a ``ClusterError`` that says what to do."""
    try:
        yield
    except (redis.RedisError, *KOMBU_ERRORS) as error:
        if any(isinstance(cause, redis.AuthenticationError) for cause in _causes(error)):
            raise ClusterError(
                f"Redis at {_host_and_port(url)} refuses the password; correct the address in"
                " --broker or CELERY_BROKER_URL"
            ) from error
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise ClusterError(
                f"the certificate of Redis at {_host_and_port(url)} is not trusted:"
                f" {mask(str(error))}; set POOLRACE_CA_FILE to the ca.crt of its cluster"
            ) from error
        raise ClusterError(
            f"cannot use Redis at {_host_and_port(url)}: {mask(str(error))}; {HOW_TO_START}"
        ) from error


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and the errors that caused it: kombu wraps the errors of redis-py."""
    while error is not None:
        yield error
        error = error.__cause__


def _check_scheme(url: str, error: ClusterError) -> None:
    """Raise a ``ClusterError`` with the right scheme if Redis speaks TLS and ``url`` not, or the
    reverse. ``error`` is why no connection was possible."""
    encrypted, problem = urlsplit(url).scheme == "rediss", str(error.__cause__)
    # Redis closes a connection that should use TLS; without TLS it waits for the rest of a line.
    if encrypted or "closed" in problem or "reset" in problem:
        found, scheme = ("no TLS", "redis") if encrypted else ("TLS", "rediss")
        if _answers(url, tls=not encrypted):
            raise ClusterError(
                f"Redis at {_host_and_port(url)} speaks {found}; begin its address with {scheme}://"
            ) from error


def _answers(url: str, *, tls: bool) -> bool:
    """Whether a Redis answers at this host and port. No password is sent."""
    parts = urlsplit(url)
    client = redis.Redis(
        host=str(parts.hostname),
        port=parts.port or REDIS_PORT,
        ssl=tls,
        ssl_cert_reqs="none",
        ssl_check_hostname=False,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        socket_timeout=CONNECT_TIMEOUT_S,
        retry=NO_RETRY,
    )
    try:
        client.ping()
    except (redis.AuthenticationError, redis.ResponseError):
        return True
    except redis.RedisError:
        return False
    return True


def _host_and_port(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or REDIS_PORT}"
