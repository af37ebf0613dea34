"""Other interpreters for tests: those in a directory, and scripts that behave like bad ones."""

import os
import shlex
import sys
from functools import cache
from pathlib import Path

import psutil

from poolrace.producer.executors.models import LOCAL_MODELS, ONE_SLOT, Model, missing
from poolrace.producer.executors.other_interpreter import OtherInterpreter
from poolrace.producer.interpreters import probe
from poolrace.producer.jobs.job import Job
from poolrace.producer.results.interpreter import Interpreter
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.workloads import make_workload
from tests.unit.test_executors import WAITING

DIRECTORY = os.environ.get("POOLRACE_PYTHONS_DIR")
"""Directory of interpreters, as ``DIRECTORY/3.14/bin/python3.14``; read before the tests start."""

FOUND = [
    str(path)
    for folder in (sorted(Path(DIRECTORY).glob("3.*")) if DIRECTORY else [])
    if (path := folder / "bin" / f"python{folder.name}").exists()
]
"""Paths of the interpreters in the directory."""

WITH_CELERY = [
    str(path) for path in (sorted(Path(DIRECTORY).glob("venv-3.*/bin/python")) if DIRECTORY else [])
] or [sys.executable]
"""Paths of interpreters that can run a worker: the environments in the directory, or this one."""

PYTHONS = [sys.executable, *FOUND]
"""Paths of interpreters that tests run chunks with; this one is always there."""


THIS_PYTHON = shlex.quote(sys.executable)
"""This interpreter, as a shell script names it."""


def script(directory: Path, text: str) -> str:
    """Write an executable shell script, in place of an interpreter; return its path."""
    path = directory / "python"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


SUM = make_workload("sum", {})


@cache
def facts_of(path: str) -> Interpreter:
    return probe(path)


def models(paths: list[str]) -> list[Model]:
    """Every local model under every interpreter that can run it, with two slots."""
    every = [
        Model("local", name, None if name in ONE_SLOT else 2, facts_of(path))
        for path in paths
        for name in LOCAL_MODELS
    ]
    return [model for model in every if not missing(model, SUM)]


MODELS = models(PYTHONS)
OURS = models([sys.executable])


def executor_of(model: Model, job: Job = WAITING) -> OtherInterpreter:
    assert model.interpreter
    return OtherInterpreter(
        job, model.slots or 1, HostFacts.collect("here"), model.name, model.interpreter
    )


def threads(interpreter: Interpreter | None = None) -> OtherInterpreter:
    return executor_of(Model("local", "threads", 2, interpreter or facts_of(sys.executable)))


def children() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)
