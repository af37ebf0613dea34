"""The natural order of names of slots and hosts: numbers within a name are compared as numbers."""

import re

_NUMBER = re.compile(r"([0-9]+)")


def natural_key(name: str) -> tuple[tuple[int, str], ...]:
    """Key that sorts ``28297.2`` before ``28297.10``.

    A number is compared by its count of digits, then by its digits: ``int`` refuses numbers of more
    than 4,300 digits, and a name may come from another host.
    """
    parts = _NUMBER.split(name)
    return tuple(
        (len(digits := part.lstrip("0")), digits) if index % 2 else (0, part)
        for index, part in enumerate(parts)
    )
