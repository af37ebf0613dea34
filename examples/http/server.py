"""An HTTP server that answers each request after 50 ms, any number of requests at a time."""

import asyncio
import sys

DELAY_S = 0.05
"""Seconds until a request is answered."""

ANSWER = b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read a request, wait, and answer it."""
    await reader.readuntil(b"\r\n\r\n")
    await asyncio.sleep(DELAY_S)
    writer.write(ANSWER)
    await writer.drain()
    writer.close()


async def main(port: int) -> None:
    """Serve until the process ends."""
    server = await asyncio.start_server(answer, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
