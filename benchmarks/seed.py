"""Times the seed's program: two processes, half of the range each; the reference of all peers.

    python -m benchmarks.seed [STOP]      prints the seconds that the program takes

Each of two processes adds half of ``range(STOP)`` with the loop of the ``loop`` kernel, and puts
its sum into a queue. The time includes starting the processes, as in the text.
"""

import sys
import time
from multiprocessing import Process, Queue


def seed_seconds(stop: int) -> float:
    """Seconds that the two processes take; raises ``ValueError`` if their sum is wrong."""
    began = time.perf_counter()
    results: Queue[int] = Queue()
    halves = ((0, stop // 2), (stop // 2, stop))
    processes = [Process(target=_work, args=(*half, results)) for half in halves]
    for process in processes:
        process.start()
    total = sum(results.get() for _ in processes)
    for process in processes:
        process.join()
    elapsed_s = time.perf_counter() - began
    if total != stop * (stop - 1) // 2:
        raise ValueError(f"the sum of range({stop}) is not {total}")
    return elapsed_s


def _work(start: int, stop: int, results: "Queue[int]") -> None:
    total = 0
    for i in range(start, stop):
        total += i
    results.put(total)


if __name__ == "__main__":
    sys.stdout.write(f"{seed_seconds(int(sys.argv[1]) if sys.argv[1:] else 100_000_000):.3f}\n")
