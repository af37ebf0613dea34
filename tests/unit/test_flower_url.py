"""The address of Flower, and its health check."""

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from poolrace.producer.cluster.flower import flower_answers, flower_url
from poolrace.producer.cluster.ports import free_port

LOGIN = "me:s3cret"


class Flower(BaseHTTPRequestHandler):
    """Answers as a Flower below ``/flower`` does."""

    def do_GET(self) -> None:
        token = base64.b64encode(LOGIN.encode()).decode()
        if self.path != "/flower/api/queues/length":
            self.send_response(404)
        elif self.headers["Authorization"] != f"Basic {token}":
            self.send_response(401)
        else:
            self.send_response(200)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Log nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Flower) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("prefix", ["flower", "/flower/"])
def test_flower_is_asked_below_its_prefix(prefix: str, port: int) -> None:
    url = flower_url(port, {"FLOWER_URL_PREFIX": prefix})
    assert url == f"http://127.0.0.1:{port}/flower"
    assert flower_answers(url, LOGIN)


def test_a_flower_with_another_login_or_none_is_not_ours(port: int) -> None:
    assert not flower_answers(f"http://127.0.0.1:{port}/flower", "me:other")
    assert not flower_answers(f"http://127.0.0.1:{port}", LOGIN)
    assert not flower_answers(flower_url(free_port()), LOGIN)


def test_flower_with_a_certificate_is_asked_by_https() -> None:
    assert flower_url(1, {"FLOWER_CERTFILE": "flower.crt"}).startswith("https://")
