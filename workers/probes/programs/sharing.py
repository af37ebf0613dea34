"""Experiments: which data threads and processes share, and what sharing costs processes."""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from queue import SimpleQueue
from typing import cast

from .processes import forked
from .rounds import Figures, ImpossibleError, Size, measure, seconds_each

CHANGES = 100
"""Items that a thread or process appends, and files that it opens."""

DATA_BYTES = 8 * 2**20
"""Bytes that are handed over."""

HANDOVERS = 10

WRITES = 200_000
"""Bytes that are written one by one."""


def sharing(size: Size) -> Figures:
    """Count the changes and open files that the main thread sees of a thread and of a process."""
    return measure(size, _in_thread, _in_process)


def shared_memory(size: Size) -> Figures:
    """Measure what it costs to hand over data, and to write to it."""
    data = bytearray(DATA_BYTES)
    handovers, writes = size.of(HANDOVERS), size.of(WRITES)
    try:
        block = SharedMemory(create=True, size=writes)
    except OSError as error:
        raise ImpossibleError(f"needs shared memory: {error}") from error
    block.unlink()  # no other process needs its name; nothing is left if this program is killed
    heap = memoryview(bytearray(writes))
    try:
        return measure(
            size,
            lambda: {"handovers_count": handovers},
            lambda: {"thread_s": _to_thread(data, handovers)},
            lambda: _to_process_in_shared_memory(data, handovers),
            lambda: {"pipe_s": _to_process_in_pipe(data, handovers)},
            lambda: {"heap_write_s": _seconds_each_write(heap)},
            lambda: {"shared_memory_write_s": _seconds_each_write(_memory(block))},
        )
    finally:
        block.close()


def _in_thread() -> dict[str, float]:
    items: list[int] = []
    files: list[int] = []
    thread = threading.Thread(target=_change, args=(items, files), daemon=True)
    thread.start()
    thread.join()
    seen = sum(map(_is_open, files))
    for file in files:
        os.close(file)
    return {"thread_changes_seen_count": len(items), "thread_files_seen_count": seen}


def _in_process() -> dict[str, float]:
    items: list[int] = []

    def change(connection: Connection) -> None:
        files: list[int] = []
        _change(items, files)
        connection.send((len(items), files))
        connection.recv()  # keeps the files open

    with forked(change) as connection:
        changes, files = connection.recv()
        seen = sum(map(_is_open, files))
        connection.send("checked")
    if changes != CHANGES:
        raise ChildProcessError(f"a process appended {changes} items instead of {CHANGES}")
    return {"process_changes_seen_count": len(items), "process_files_seen_count": seen}


def _change(items: list[int], files: list[int]) -> None:
    for number in range(CHANGES):
        items.append(number)
        files.append(os.open(os.devnull, os.O_RDONLY))


def _is_open(file: int) -> bool:
    """Whether a file descriptor of this process is one that ``_change`` opened."""
    with suppress(OSError):  # not open
        # A process can have another file open under the same number.
        return os.path.samestat(os.fstat(file), Path(os.devnull).stat())
    return False


def _to_thread(data: bytearray, handovers: int) -> float:
    """Hand over a reference; returns the seconds of each time."""
    to_other: SimpleQueue[bytearray | None] = SimpleQueue()
    from_other: SimpleQueue[int] = SimpleQueue()

    def change() -> None:
        while (received := to_other.get()) is not None:
            received[0] = 1
            from_other.put(1)

    def hand_over() -> None:
        to_other.put(data)
        from_other.get()

    thread = threading.Thread(target=change, daemon=True)
    thread.start()
    try:
        return _seconds_each_after_first(hand_over, handovers)
    finally:
        to_other.put(None)
        thread.join()


def _to_process_in_shared_memory(data: bytearray, handovers: int) -> dict[str, float]:
    """Hand over new blocks; returns the seconds of each and how many changes were seen."""
    seen = 0

    def change(connection: Connection) -> None:
        with suppress(EOFError):
            while True:
                block = SharedMemory(connection.recv())
                _memory(block)[0] = 1
                block.close()
                connection.send("changed")

    def hand_over(connection: Connection) -> None:
        nonlocal seen
        block = SharedMemory(create=True, size=len(data))
        try:
            memory = _memory(block)
            memory[: len(data)] = data
            memory[0] = 0
            connection.send(block.name)
            connection.recv()
            seen += memory[0]
        finally:
            block.close()
            block.unlink()

    with forked(change) as connection:
        elapsed_s = _seconds_each_after_first(partial(hand_over, connection), handovers)
    return {"shared_memory_s": elapsed_s, "shared_memory_changes_seen_count": seen - 1}


def _to_process_in_pipe(data: bytearray, handovers: int) -> float:
    """Copy the data through a pipe; returns the seconds of each time."""

    def change(connection: Connection) -> None:
        with suppress(EOFError):
            while True:
                received = bytearray(connection.recv_bytes())
                received[0] = 1
                connection.send("changed")

    def hand_over(connection: Connection) -> None:
        connection.send_bytes(data)
        connection.recv()

    with forked(change) as connection:
        return _seconds_each_after_first(partial(hand_over, connection), handovers)


def _seconds_each_after_first(action: Callable[[], object], repetitions: int) -> float:
    """Return the mean seconds of a call; one call before waits for the thread or process."""
    action()
    return seconds_each(action, repetitions)


def _memory(block: SharedMemory) -> memoryview:
    """Return the memory of a block that is open."""
    return cast("memoryview", block.buf)


def _seconds_each_write(memory: memoryview) -> float:
    began = time.perf_counter()
    for place in range(len(memory)):
        memory[place] = 1
    return (time.perf_counter() - began) / len(memory)
