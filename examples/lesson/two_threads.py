"""Two threads add the numbers from 0 to 99,999,999, half of them each.

Both append to the same list, because threads share the memory of their process. They take as long
as one thread: the GIL lets one thread compute at a time. The counterpart:

    producer run sum --local threads --slots 2 --chunks 2
"""

from threading import Thread

START, STOP = 0, 100_000_000
MIDDLE = (START + STOP) // 2


def add(start: int, stop: int, results: list[int]) -> None:
    """Add the numbers of ``[start, stop)`` one by one, and append their sum to the results."""
    total = 0
    for number in range(start, stop):
        total += number
    results.append(total)


if __name__ == "__main__":
    results: list[int] = []
    threads = [
        Thread(target=add, args=(START, MIDDLE, results)),
        Thread(target=add, args=(MIDDLE, STOP, results)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"Result: {sum(results)}")
