"""Experiment: a small HTTP server that answers in one thread, or in a thread for each request."""

import threading
import time
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from multiprocessing.connection import Connection
from socketserver import TCPServer, ThreadingMixIn

from .processes import forked, time_threads
from .rounds import Figures, Size, measure
from .work import add_up

CLIENTS = 8
REQUESTS = 3
"""Requests of each client, one after another."""

WAIT_S = 0.01
"""Seconds that an answer to /waiting takes, as if it came from a database."""

ADDITIONS = 50_000
"""Additions of an answer to /computing: about 2 ms."""

HOST = "127.0.0.1"

TIMEOUT_S = 10.0
"""Seconds that a client waits for an answer."""


class OneThread(TCPServer):
    """A server that answers one request after another."""

    request_queue_size = 2 * CLIENTS  # a client that finds the queue full tries again after 1 s

    def __init__(self) -> None:
        super().__init__((HOST, 0), _Handler)
        self.answering = 0
        """Number of requests being answered."""
        self.at_a_time = 0
        """Greatest number of requests that were answered at the same time."""
        self.lock = threading.Lock()


class ManyThreads(ThreadingMixIn, OneThread):
    """A server that answers each request in a thread of its own."""


def server(size: Size) -> Figures:
    """Measure requests per second of both servers."""
    names: dict[str, type[OneThread]] = {"one_thread": OneThread, "many_threads": ManyThreads}
    return measure(size, *[lambda name=name: _ask(name, names[name]) for name in names])


class _Handler(BaseHTTPRequestHandler):
    server: OneThread

    def do_GET(self) -> None:
        """Answer after waiting, or after computing."""
        with self.server.lock:
            self.server.answering += 1
            self.server.at_a_time = max(self.server.at_a_time, self.server.answering)
        if self.path == "/waiting":
            time.sleep(WAIT_S)
        else:
            add_up(0, ADDITIONS)
        self.send_response(200)
        self.end_headers()
        with self.server.lock:
            self.server.answering -= 1

    def log_message(self, *arguments: object) -> None:
        """Log nothing."""


def _ask(name: str, kind: type[OneThread]) -> dict[str, float]:
    """Ask a server in a process of its own, by several clients at a time."""

    def serve(connection: Connection) -> None:
        with kind() as running:
            thread = threading.Thread(target=running.serve_forever, args=(0.01,))
            thread.start()
            connection.send(running.server_address[1])
            try:
                connection.recv()
            finally:
                running.shutdown()
                thread.join()
            connection.send(running.at_a_time)

    with forked(serve) as connection:
        port = connection.recv()
        waiting = _requests_per_s(port, "/waiting")
        computing = _requests_per_s(port, "/computing")
        connection.send("end")
        at_a_time = connection.recv()
    return {
        f"{name}_requests_per_s": waiting,
        f"{name}_computing_requests_per_s": computing,
        f"{name}_at_a_time_count": at_a_time,
    }


def _requests_per_s(port: int, path: str) -> float:
    answers: list[int] = []

    def client() -> None:
        for _ in range(REQUESTS):
            connection = HTTPConnection(HOST, port, timeout=TIMEOUT_S)
            connection.request("GET", path)
            answers.append(connection.getresponse().status)
            connection.close()

    elapsed_s, _ = time_threads(*[client] * CLIENTS)
    if answers != [200] * CLIENTS * REQUESTS:
        raise ConnectionError(f"of {CLIENTS * REQUESTS} requests, the server answered {answers}")
    return len(answers) / elapsed_s
