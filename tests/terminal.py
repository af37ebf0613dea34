"""A pseudo-terminal for tests of programs that draw on the whole screen."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from typing import Any, Self

from rich.cells import cell_len

from tests.conftest import PATIENCE_S

ROWS, COLUMNS = 24, 80
"""Size of a terminal at first."""

SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def cells(line: bytes) -> int:
    """Number of cells of a line, without its escape sequences."""
    return cell_len(SEQUENCE.sub("", line.decode(errors="replace")))


class Terminal:
    """A pseudo-terminal; ends its program when the context is left."""

    def __enter__(self) -> Self:
        self._leader, self._follower = pty.openpty()
        self._program: subprocess.Popen[bytes] | None = None
        self._unread = b""
        self.resize(ROWS, COLUMNS)
        return self

    def __exit__(self, *_: object) -> None:
        if self._program and self._program.poll() is None:
            self._program.kill()
            self._program.wait()
        os.close(self._leader)
        os.close(self._follower)

    def resize(self, rows: int, columns: int) -> None:
        """Change the size of the terminal."""
        fcntl.ioctl(self._leader, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def attributes(self) -> list[Any]:
        """The modes of the terminal, such as its echo."""
        return termios.tcgetattr(self._leader)

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start Python with these arguments in the terminal."""
        without_size = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
        self._program = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=self._follower,
            stdout=self._follower,
            stderr=self._follower,
            env={**without_size, "TERM": "xterm"},
        )
        return self._program

    def read_until(self, text: bytes) -> bytes:
        """The output of the program up to and with the text; fails if it does not come."""
        deadline = time.monotonic() + PATIENCE_S
        while text not in self._unread and time.monotonic() < deadline:
            if select.select([self._leader], [], [], 1)[0]:
                self._unread += os.read(self._leader, 65536)
        before, found, self._unread = self._unread.partition(text)
        assert found, f"{text!r} does not come after {before!r}"
        return before + found
