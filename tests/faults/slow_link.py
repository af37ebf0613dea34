"""A long way between a host and Redis: a relay on this machine that delays what passes."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit, urlunsplit


@contextmanager
def slow_link(url: str, delay_s: float) -> Iterator[str]:
    """An address behind which ``url`` answers, with so many seconds each way."""
    parts = urlsplit(url)
    loop = asyncio.new_event_loop()

    async def relay(near: asyncio.StreamReader, far: asyncio.StreamWriter) -> None:
        """What comes in goes out in order, each piece after the delay."""
        with suppress(ConnectionError):
            while piece := await near.read(65_536):
                loop.call_later(delay_s, far.write, piece)
        loop.call_later(delay_s, far.close)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection(parts.hostname, parts.port)
        await asyncio.gather(relay(reader, server_writer), relay(server_reader, writer))

    server = loop.run_until_complete(asyncio.start_server(accept, "127.0.0.1", 0))
    port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.port}", f":{port}")))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        for task in asyncio.all_tasks(loop):
            task.cancel()
            with suppress(asyncio.CancelledError):
                loop.run_until_complete(task)
        server.close()
        loop.close()
