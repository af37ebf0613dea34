"""The name of the program as it was called: ``producer`` or ``poolrace``. Pure."""

import sys
from pathlib import PurePath

NAMES = ("producer", "poolrace")
"""Commands that the package installs, and packages that ``python -m`` runs; all are the same
program. The first one is the name in any other case, as in tests."""


def name_of(path: str) -> str:
    """Return the program's name for ``sys.argv[0]``: a command, or the ``__main__.py`` of -m."""
    called = PurePath(path)
    name = called.parent.name if called.name == "__main__.py" else called.stem
    return name if name in NAMES else NAMES[0]


PROGRAM = name_of(sys.argv[0])
"""Name of the program in usage lines, messages and examples."""
