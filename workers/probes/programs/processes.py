"""Threads and processes that wait until the clock starts, and processes for other experiments."""

import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

from .rounds import ImpossibleError

FORK = multiprocessing.get_context("fork")
SPAWN = multiprocessing.get_context("spawn")


@contextmanager
def forked(target: Callable[[Connection], object]) -> Iterator[Connection]:
    """Run ``target`` in a forked process with one end of a pipe; yields the other end.

    Closes the pipe and waits for the process at the end.
    """
    ours, theirs = FORK.Pipe()

    def run() -> None:
        # The pipe must end with this program, so the process must not keep our end open.
        ours.close()
        target(theirs)

    process = FORK.Process(target=run)
    process.start()
    theirs.close()
    try:
        with ours:
            yield ours
    except EOFError:
        process.join()
        raise ChildProcessError(f"a process ended with exit code {process.exitcode}") from None
    except BaseException:
        process.kill()  # it may wait for this program
        raise
    finally:
        process.join()


def in_process(function: Callable[[], Any]) -> Any:  # what the function returns
    """Return what the function returns in a forked process, or raise its ``ImpossibleError``."""

    def answer(connection: Connection) -> None:
        try:
            connection.send(function())
        except ImpossibleError as error:
            connection.send(error)

    with forked(answer) as connection:
        result = connection.recv()
    if isinstance(result, ImpossibleError):
        raise result
    return result


def time_threads(*actions: Callable[[], object]) -> tuple[float, float]:
    """Run each action in a thread; returns elapsed seconds and CPU seconds.

    The threads exist, and wait, before the clock starts.
    """
    barrier = threading.Barrier(len(actions) + 1)

    def run(action: Callable[[], object]) -> None:
        barrier.wait()
        action()

    threads = [threading.Thread(target=run, args=(action,), daemon=True) for action in actions]
    for thread in threads:
        thread.start()
    while barrier.n_waiting < len(threads):
        time.sleep(0.0001)  # a barrier does not tell when a thread begins to wait
    began, cpu_began = time.perf_counter(), time.process_time()
    barrier.wait()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began, time.process_time() - cpu_began


def time_processes(*actions: Callable[[], Any]) -> tuple[float, float, list[Any]]:
    """Run each action in a forked process; returns elapsed seconds, CPU seconds and results.

    The processes exist, and wait, before the clock starts. It stops with the last result.
    """

    def run(action: Callable[[], object], connection: Connection) -> None:
        connection.send("ready")
        connection.recv()
        cpu_began = time.process_time()
        result = action()
        connection.send((result, time.process_time() - cpu_began))

    with ExitStack() as stack:
        connections = [stack.enter_context(forked(partial(run, action))) for action in actions]
        for connection in connections:
            connection.recv()
        began = time.perf_counter()
        for connection in connections:
            connection.send("go")
        answers = [connection.recv() for connection in connections]
        elapsed_s = time.perf_counter() - began
    return elapsed_s, sum(cpu_s for _, cpu_s in answers), [result for result, _ in answers]
