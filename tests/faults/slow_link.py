"""A slow network link between a host and Redis: a relay on this machine that delays all data."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

from poolrace.producer.broker.client import REDIS_PORT

WAIT_S = 10.0
"""Seconds to wait at most until the relay listens."""


@contextmanager
def slow_link(url: str, delay_s: float) -> Iterator[str]:
    """The address of a relay to ``url`` that adds ``delay_s`` seconds in each direction."""
    parts = urlsplit(url)
    relay = _Relay(str(parts.hostname), int(parts.port or REDIS_PORT), delay_s)
    thread = threading.Thread(target=asyncio.run, args=(relay.serve(),))
    thread.start()
    port = relay.port.result(WAIT_S)
    try:
        yield urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.port}", f":{port}")))
    finally:
        relay.loop.call_soon_threadsafe(relay.over.set)
        thread.join()


class _Relay:
    def __init__(self, host: str, port: int, delay_s: float) -> None:
        self.port: Future[int] = Future()
        self._behind = (host, port)
        self._delay_s = delay_s
        self._writers: set[asyncio.StreamWriter] = set()

    async def serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.over = asyncio.Event()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port.set_result(server.sockets[0].getsockname()[1])
        await self.over.wait()
        server.close()
        while self._writers:
            for writer in self._writers:
                writer.transport.abort()
            await asyncio.sleep(0)  # lets the connections close

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._behind)
        ends = {writer, far_writer}
        self._writers |= ends
        await asyncio.gather(self._forward(reader, far_writer), self._forward(far_reader, writer))
        self._writers -= ends

    async def _forward(self, near: asyncio.StreamReader, far: asyncio.StreamWriter) -> None:
        """Forward the data in order, each piece after the delay."""
        with suppress(ConnectionError):
            while piece := await near.read(65_536):
                self.loop.call_later(self._delay_s, far.write, piece)
        self.loop.call_later(self._delay_s, far.close)
