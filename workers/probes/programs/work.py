"""Work that only computes."""


def add_up(start: int, stop: int) -> int:
    """Return the sum of the range: the program of the lesson."""
    total = 0
    for number in range(start, stop):
        total += number
    return total
