"""A generator keeps the smallest of the values that are sent into it.

The generator stops at each ``yield`` and goes on from there with the next value. ``poolrace``
merges the values of the chunks of every job with such a generator. The counterpart:

    producer run minimum --values 10,4,22,-6 --chunk-size 1 --local single
"""

from collections.abc import Generator

VALUES = (10, 4, 22, -6)


def running_minimum() -> Generator[int | None, int, None]:
    """Yield the smallest value so far, after each value that is sent."""
    smallest = yield None
    while True:
        value = yield smallest
        smallest = min(smallest, value)


if __name__ == "__main__":
    minimum = running_minimum()
    next(minimum)  # runs to the first yield, which waits for a value
    for value in VALUES:
        result = minimum.send(value)
        print(f"after {value}: {result}")
    print(f"Result: {result}")
