"""The name of the program as it was called, ``producer`` or ``poolrace``. Pure."""

import sys
from pathlib import PurePath

NAMES = ("producer", "poolrace")
"""Names of the program: as an installed command, and after ``python -m``. The first is the default,
as in tests."""


def name_of(path: str) -> str:
    """Return the program's name from ``sys.argv[0]``: a command, or the ``__main__.py`` of -m."""
    called = PurePath(path)
    name = called.parent.name if called.name == "__main__.py" else called.stem
    return name if name in NAMES else NAMES[0]


PROGRAM = name_of(sys.argv[0])
"""Name of the program in usage lines, messages and examples."""


def examples(*arguments: str) -> str:
    """Return the end of a command's help: command lines that work as they are."""
    return "\n".join(["\b", "Examples:", *(f"  {PROGRAM} {each}" for each in arguments)])
