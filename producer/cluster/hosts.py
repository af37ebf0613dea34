"""Assigns the workers of a local cluster to hosts: one host for each interpreter.

Each interpreter is asked beforehand whether it can import the worker. A pool that it cannot run is
left out.
"""

import json
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from poolrace.producer.cluster.config_files import LIBRARY
from poolrace.producer.interpreters import probe_all, run_isolated
from poolrace.producer.results.interpreter import Interpreter
from poolrace.workers.errors import UsageError
from poolrace.workers.installation import why_missing
from poolrace.workers.pools import POOLS
from poolrace.workers.protocol import UNKNOWN_VERSION, package_version

OLDEST_CELERY = (5, 7)
"""Version of the oldest Celery that workers run with."""

REQUIREMENT = f"celery[redis]>={'.'.join(map(str, OLDEST_CELERY))}"
"""The only requirement of a worker that runs poolrace from the directory of ``make_library``."""

PACKAGE = Path(__file__).parents[2]
"""Directory of the package ``poolrace``. Links are not followed: in a clone it holds links."""

WORKER_MODULES = ("celery", "redis", "poolrace.workers.tasks")
"""Modules that every worker imports; the last one imports all that poolrace needs."""

IMPORT_S = 120.0
"""Seconds within which an interpreter must import its worker; it takes 1 s, and more than 30 s were
measured on a machine whose cores other programs kept busy."""

CHECK = """
import importlib, json, os, sys
library, *names = sys.argv[1:]
os.chdir(library)  # the worker reads .env in its directory
sys.path.insert(0, library)
errors = {}
for name in names:
    try:
        importlib.import_module(name)
    except BaseException as error:
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        errors[name] = [missing, f"{type(error).__name__}: {error}"]
celery = sys.modules.get("celery")
print(json.dumps({"errors": errors, "celery": getattr(celery, "__version__", "")}))
"""
"""Program that imports modules, and prints as JSON which of them failed and why."""

Errors = Mapping[str, tuple[str | None, str]]
"""Module whose import failed -> the missing module, if one is missing, and the error as text."""


@dataclass(frozen=True)
class Assignment:
    """The hosts of a local cluster, and the workers that none of them can have."""

    hosts: list[str]
    """Names of the hosts."""
    interpreters: Mapping[str, str] = field(default_factory=dict)
    """Path of a host's interpreter, by name of the host; a host without one has our own."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Name of a worker that its host's interpreter cannot run -> the reason."""


def make_library(parent: Path) -> Path:
    """Make a directory from which any interpreter imports this package, and no other package.

    The package's own directory may lie among packages that were installed for our interpreter.
    """
    library = parent / LIBRARY
    library.mkdir()
    (library / PACKAGE.name).symlink_to(PACKAGE)
    version = package_version()
    if version != UNKNOWN_VERSION:
        # The worker announces this version: it finds the package's metadata as if installed.
        metadata = library / f"{PACKAGE.name}-{version}.dist-info" / "METADATA"
        metadata.parent.mkdir()
        metadata.write_text(f"Metadata-Version: 2.1\nName: {PACKAGE.name}\nVersion: {version}\n")
    return library


def assign_hosts(host: str, pools: Mapping[str, int], pythons: Sequence[str]) -> Assignment:
    """Assign a host to each interpreter of ``pythons``, or to our own if there are none.

    Raises ``UsageError`` if an interpreter cannot start a worker, or none of the pools.
    """
    if not pythons:
        reasons = unusable_here(pools)
        _require_pool(pools, reasons, sys.executable)
        return Assignment([host], left_out=_workers(reasons, host))
    names: dict[str, str] = {}
    left_out: dict[str, str] = {}
    for interpreter in probe_all(tuple(pythons)):
        name = f"{host}-{interpreter.label.replace('#', '-')}"
        reasons = dict(_unusable(interpreter, pools))
        _require_pool(pools, reasons, f"--python {interpreter.path}")
        names[name] = interpreter.path
        left_out |= _workers(reasons, name)
    return Assignment(list(names), names, left_out)


def unusable_here(pools: Iterable[str]) -> dict[str, str]:
    """The pools that our own interpreter cannot run, each with the reason."""
    packages = _packages(pools).items()
    return {pool: why for pool, package in packages if (why := why_missing(package))}


def require_pools(pools: Mapping[str, int]) -> None:
    """Raise ``UsageError`` for a pool that our own interpreter cannot run."""
    for pool, reason in unusable_here(pools).items():
        raise UsageError(f"pool {pool}: {reason}")


def _workers(reasons: Mapping[str, str], host: str) -> dict[str, str]:
    return {f"{pool}@{host}": reason for pool, reason in reasons.items()}


def _require_pool(pools: Mapping[str, int], reasons: Mapping[str, str], python: str) -> None:
    """Raise ``UsageError`` if the interpreter can run none of the pools."""
    if pools and not pools.keys() - reasons.keys():
        told = "; ".join(f"{pool}: {reason}" for pool, reason in reasons.items())
        raise UsageError(f"{python} can run none of the pools: {told}")


def _packages(pools: Iterable[str]) -> dict[str, str]:
    """Package that a pool needs besides Celery, by pool."""
    return {pool: package for pool in pools if (package := POOLS[pool].package)}


def _unusable(interpreter: Interpreter, pools: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """The pools that the interpreter cannot run, each with the reason.

    Raises ``UsageError`` if it can run no worker at all.
    """
    packages = _packages(pools)
    errors, celery = _check(interpreter, [*WORKER_MODULES, *packages.values()])
    pip = f"{shlex.quote(interpreter.path)} -m pip install"
    if problem := _problem(errors, celery):
        raise UsageError(
            f"--python {interpreter.path} {problem}; install what workers need:"
            f" {pip} '{REQUIREMENT}'"
        )
    for pool, package in packages.items():
        if package not in errors:
            continue
        missing, text = errors[package]
        if not missing:
            yield pool, f"{package} cannot be imported: {text}"
        elif interpreter.free_threaded:
            yield pool, f"{package} is not installed, and has no wheels for free-threaded builds"
        else:
            yield pool, f"{package} is not installed; install it: {pip} {package}"


def _problem(errors: Errors, celery: str) -> str | None:
    """The reason why no worker starts with these errors and this version of Celery, if any."""
    if celery and _version(celery) < OLDEST_CELERY:
        return f"has Celery {celery}, too old for workers of poolrace"
    for module in WORKER_MODULES:
        if module in errors:
            missing, text = errors[module]
            return f"lacks the module {missing}" if missing else f"cannot import {module}: {text}"
    return None


def _check(interpreter: Interpreter, modules: Sequence[str]) -> tuple[Errors, str]:
    """Import modules in the interpreter as a worker does; returns errors and Celery's version.

    The version is empty if the import of Celery failed.
    """
    with TemporaryDirectory() as directory:
        library = make_library(Path(directory))
        # Like a worker: without our variables, but with all installed packages.
        output = run_isolated(
            interpreter.path,
            ["-c", CHECK, str(library), *modules],
            options=("-E", "-P", "-B"),
            answer_s=IMPORT_S,
        )
    for line in reversed(output.splitlines()):
        with suppress(ValueError, KeyError, TypeError):
            answer = json.loads(line)
            errors = {name: (missing, text) for name, (missing, text) in answer["errors"].items()}
            return errors, answer["celery"]
    raise UsageError(f"--python {interpreter.path} ended while it imported {', '.join(modules)}")


def _version(text: str) -> tuple[int, ...]:
    """The first two numbers of a version; no number for a text that is none."""
    return tuple(int(part) for part in text.split(".")[:2] if part.isdecimal())
