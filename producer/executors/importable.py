"""Makes this package importable in an interpreter that does not see installed packages.

Other interpreters run this file by its path. They import the package, and nothing that lies beside
it: in an installation, that would be packages of another Python.
"""

import importlib.util
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[2]
"""Directory of the package ``poolrace``. Links are not followed: in a clone it holds links."""


def make_importable() -> None:
    """Import the package from its directory."""
    spec = importlib.util.spec_from_file_location(
        "poolrace", PACKAGE / "__init__.py", submodule_search_locations=[str(PACKAGE)]
    )
    if spec and spec.loader:
        module = sys.modules["poolrace"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)


if "poolrace" not in sys.modules:
    make_importable()
