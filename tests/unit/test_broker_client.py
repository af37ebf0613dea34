"""Errors of the first connection to Redis."""

import socketserver
import threading
from collections.abc import Iterator

import pytest

from poolrace.producer.broker.client import connect
from poolrace.workers.errors import ClusterError


class AsksForThePassword(socketserver.StreamRequestHandler):
    """Replies like a Redis without TLS that has a password, to complete lines only."""

    def handle(self) -> None:
        while self.rfile.readline():
            self.wfile.write(b"-NOAUTH Authentication required.\r\n")


@pytest.fixture
def port() -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), AsksForThePassword) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_an_address_with_tls_for_a_redis_without_tls_is_told_the_right_scheme(port: int) -> None:
    with pytest.raises(ClusterError, match="speaks no TLS; begin its address with redis://"):
        connect(f"rediss://:s3cret@127.0.0.1:{port}/0")
