"""Serves the live view as a web page on loopback, behind the login of Flower."""

import asyncio
import base64
import hmac
import json
from collections.abc import Callable

from tornado.httpserver import HTTPServer
from tornado.iostream import StreamClosedError
from tornado.locks import Condition
from tornado.web import Application, RequestHandler

from poolrace.producer.cluster.ports import LOOPBACK
from poolrace.producer.watch.page import PAGE, SCRIPT, STYLE
from poolrace.producer.watch.snapshot import Snapshot
from poolrace.workers.errors import UsageError

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Headers of every answer: a page loads nothing from elsewhere, and no other page reads it."""

FILES = {
    "/": ("text/html", PAGE),
    "/watch.js": ("text/javascript", SCRIPT),
    "/watch.css": ("text/css", STYLE),
}
"""Path -> content type and text."""


class Feed:
    """The last snapshot as JSON; tells the open pages of each new one."""

    def __init__(self) -> None:
        self.text = ""
        self._changed = Condition()

    def publish(self, snapshot: Snapshot) -> None:
        """Replace the snapshot, and wake the open pages."""
        self.text = json.dumps(snapshot.to_json())
        self._changed.notify_all()

    async def changed(self) -> None:
        """Wait for the next snapshot."""
        await self._changed.wait()


class Guarded(RequestHandler):
    """A handler that answers only requests for this machine with the right login."""

    def prepare(self) -> None:
        """Refuse a foreign ``Host``, which DNS rebinding sends, and a wrong login."""
        if self.request.host not in self.settings["hosts"]:
            self._refuse(403, "open the address that the command prints")
        elif not _same(self.request.headers.get("Authorization", ""), self.settings["logins"]):
            self.set_header("WWW-Authenticate", 'Basic realm="poolrace"')
            self._refuse(401, "the page needs the login of Flower")

    def set_default_headers(self) -> None:
        """Set the headers that every answer has."""
        self.clear_header("Server")
        for name, value in HEADERS.items():
            self.set_header(name, value)

    def _refuse(self, status: int, reason: str) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(reason)  # a browser shows an error of its own in the place of an empty page


class File(Guarded):
    """Answers with one of the texts of the page."""

    def get(self) -> None:
        """Write the text."""
        kind, text = FILES[self.request.path]
        self.set_header("Content-Type", f"{kind}; charset=utf-8")
        self.write(text)


class Events(Guarded):
    """Sends each snapshot as a server-sent event, for as long as the page is open."""

    async def get(self) -> None:
        """Send events until the connection closes."""
        feed: Feed = self.settings["feed"]
        self.set_header("Content-Type", "text/event-stream; charset=utf-8")
        try:
            while True:
                if feed.text:
                    self.write(f"data: {feed.text}\n\n")
                    await self.flush()
                await feed.changed()
        except (StreamClosedError, asyncio.CancelledError):
            return  # the page was closed, or the command ends


def application(feed: Feed, port: int, login: str) -> Application:
    """The web application; ``login`` has the form of ``FLOWER_BASIC_AUTH``."""
    tokens = [base64.b64encode(each.encode()).decode() for each in login.split(",")]
    return Application(
        [*((path, File) for path in FILES), ("/events", Events)],
        feed=feed,
        hosts={f"{name}:{port}" for name in (LOOPBACK, "localhost")},
        logins=[f"Basic {token}" for token in tokens],
        log_function=lambda _: None,
    )


def serve(
    read: Callable[[], Snapshot],
    interval_s: float,
    port: int,
    login: str,
    listening: Callable[[str], None],
) -> None:
    """Serve the page until a signal ends the command; raises ``UsageError`` if it cannot listen.

    ``listening`` is called with the address of the page once it can be opened.
    """
    asyncio.run(_serve(read, interval_s, port, login, listening))


async def _serve(
    read: Callable[[], Snapshot],
    interval_s: float,
    port: int,
    login: str,
    listening: Callable[[str], None],
) -> None:
    feed = Feed()
    server = HTTPServer(application(feed, port, login))
    try:
        server.listen(port, address=LOOPBACK)
    except OSError as error:
        raise UsageError(
            f"--web {port}: cannot listen on this port: {error.strerror}; give another one"
        ) from error
    listening(f"http://{LOOPBACK}:{port}")
    try:
        while True:
            feed.publish(await asyncio.to_thread(read))
            await asyncio.sleep(interval_s)
    finally:
        server.stop()


def _same(given: str, expected: list[str]) -> bool:
    """Whether the header is one of the expected ones; takes equally long for any wrong one."""
    matches = [hmac.compare_digest(given.encode(), each.encode()) for each in expected]
    return any(matches)
