"""The web page of the live view: login, ``Host``, headers and events, over a real socket."""

import asyncio
import base64
import json
from contextlib import suppress

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.simple_httpclient import HTTPStreamClosedError
from tornado.testing import bind_unused_port

from poolrace.producer.watch.snapshot import Snapshot
from poolrace.producer.watch.web import Feed, application, serve
from poolrace.workers.errors import UsageError

LOGIN = "poolrace:secret"


def authorization(login: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}


def answer(path: str, headers: dict[str, str]) -> HTTPResponse:
    async def fetch() -> HTTPResponse:
        socket, port = bind_unused_port()
        server = HTTPServer(application(Feed(), port, f"{LOGIN},other:word"))
        server.add_socket(socket)
        try:
            address = f"http://127.0.0.1:{port}{path}"
            return await AsyncHTTPClient().fetch(address, headers=headers, raise_error=False)
        finally:
            server.stop()

    return asyncio.run(fetch())


@pytest.mark.parametrize("path", ["/", "/watch.js", "/watch.css", "/events"])
def test_each_path_needs_the_login(path: str) -> None:
    for headers in ({}, authorization("poolrace:wrong"), {"Authorization": "Basic \xe9"}):
        refused = answer(path, headers)
        assert refused.code == 401
        assert refused.body == b"the page needs the login of Flower"
        assert "Basic" in refused.headers["WWW-Authenticate"]


@pytest.mark.parametrize("login", [LOGIN, "other:word"])
def test_the_page_has_strict_headers_and_no_inline_script(login: str) -> None:
    page = answer("/", authorization(login))
    assert page.code == 200
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "Access-Control-Allow-Origin" not in page.headers
    assert b"http" not in page.body
    assert b"<script>" not in page.body


def test_a_foreign_host_is_refused_in_spite_of_the_login() -> None:
    assert answer("/", {**authorization(LOGIN), "Host": "evil.example"}).code == 403


def test_each_snapshot_is_sent_as_an_event() -> None:
    async def events() -> list[str]:
        socket, port = bind_unused_port()
        feed, received = Feed(), asyncio.Queue[bytes]()
        server = HTTPServer(application(feed, port, LOGIN))
        server.add_socket(socket)
        feed.publish(Snapshot("redis://one", ""))
        client = AsyncHTTPClient()
        reading = client.fetch(
            f"http://127.0.0.1:{port}/events",
            headers=authorization(LOGIN),
            streaming_callback=received.put_nowait,
            raise_error=False,
        )
        found = [await asyncio.wait_for(received.get(), 30)]
        feed.publish(Snapshot("redis://two", ""))
        found.append(await asyncio.wait_for(received.get(), 30))
        server.stop()
        await server.close_all_connections()
        with suppress(HTTPStreamClosedError):
            await reading
        return [json.loads(each.removeprefix(b"data: "))["broker"] for each in found]

    assert asyncio.run(events()) == ["redis://one", "redis://two"]


def test_a_port_that_is_taken_is_a_usage_error() -> None:
    socket, port = bind_unused_port()
    with socket, pytest.raises(UsageError, match=f"--web {port}"):
        serve(lambda: Snapshot("", ""), 1.0, port, LOGIN, print)
