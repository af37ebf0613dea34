"""Finds the interpreter of the user's app."""

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path


def app_interpreter(given: str | None, variables: Mapping[str, str], directory: Path) -> str:
    """The interpreter that runs the app in ``directory``.

    That is the given one; else that of the active virtual environment (``VIRTUAL_ENV``); else
    that of ``.venv`` in the directory or its parent; else our own. An environment without Celery
    is passed over.
    """
    if given:
        return shutil.which(given) or given
    active = variables.get("VIRTUAL_ENV")
    environments = [
        *([Path(active)] if active else []),
        directory / ".venv",
        directory.parent / ".venv",
    ]
    for environment in environments:
        if environment.resolve() == Path(sys.prefix).resolve():
            return sys.executable
        if _has_celery(environment):
            return str(environment / "bin" / "python")
    return sys.executable


def _has_celery(environment: Path) -> bool:
    python = environment / "bin" / "python"
    return python.exists() and any(environment.glob("lib/python*/site-packages/celery"))
