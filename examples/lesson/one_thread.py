"""One thread adds the numbers from 0 to 99,999,999.

The counterpart, which also checks the value and measures its cost:

    producer run sum --local single
"""

from threading import Thread

START, STOP = 0, 100_000_000


def add(start: int, stop: int, results: list[int]) -> None:
    """Add the numbers of ``[start, stop)`` one by one, and append their sum to the results."""
    total = 0
    for number in range(start, stop):
        total += number
    results.append(total)


if __name__ == "__main__":
    results: list[int] = []
    thread = Thread(target=add, args=(START, STOP, results))
    thread.start()
    thread.join()
    print(f"Result: {sum(results)}")
