"""An HTTP server that answers four requests at a time, each after 50 ms."""

import asyncio
import sys

AT_A_TIME = 4
"""Number of requests that are answered at a time; the other ones wait."""

DELAY_S = 0.05
"""Seconds that an answer takes."""

ANSWER = b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"

places = asyncio.Semaphore(AT_A_TIME)


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read a request, wait for a place, and answer it."""
    await reader.readuntil(b"\r\n\r\n")
    async with places:
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
