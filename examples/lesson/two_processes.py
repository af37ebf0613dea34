"""Two processes add the numbers from 0 to 99,999,999, half of them each.

Processes share no memory, so each sends its sum through a queue. Each has its own GIL, so both
compute at the same time. The counterpart:

    producer run sum --local processes --slots 2 --chunks 2
"""

from __future__ import annotations

from multiprocessing import Process, Queue

START, STOP = 0, 100_000_000
MIDDLE = (START + STOP) // 2


def add(start: int, stop: int, results: Queue[int]) -> None:
    """Add the numbers of ``[start, stop)`` one by one, and put their sum into the queue."""
    total = 0
    for number in range(start, stop):
        total += number
    results.put(total)


if __name__ == "__main__":
    results: Queue[int] = Queue()
    processes = [
        Process(target=add, args=(START, MIDDLE, results)),
        Process(target=add, args=(MIDDLE, STOP, results)),
    ]
    for process in processes:
        process.start()
    # One result of each process, read before join: a process ends only after its result is read.
    total = sum(results.get() for _ in processes)
    for process in processes:
        process.join()
    print(f"Result: {total}")
