"""Local models in a process of another interpreter, which has only the standard library."""

import json
import shutil
import subprocess
import sys
import sysconfig
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from poolrace.producer.executors import other_interpreter
from poolrace.producer.executors.models import ONE_SLOT, Model, make_executor
from poolrace.producer.interpreters import ISOLATED
from poolrace.producer.jobs.job import Job
from poolrace.producer.settings import Settings
from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.errors import UsageError
from poolrace.workers.workloads import WORKLOADS, make_workload
from tests.conftest import run_once
from tests.other_interpreters import (
    MODELS,
    THIS_PYTHON,
    executor_of,
    facts_of,
    script,
    threads,
)
from tests.unit.test_executors import LONG, SHORT, WAITING, collect

PARAMETERS: dict[str, dict[str, Any]] = {
    "sum": {},
    "factorial": {"wait_s": 0.0},
    "minimum": {"values": (10, 4, 22, -6)},
    "mixed": {"cpu_s": 0.001, "wait_s": 0.001},
}
RANGES = {"sum": (17, 200_017), "factorial": (2500, 2502), "minimum": (0, 4), "mixed": (0, 60)}
"""The factorial of 2500 is a big integer."""


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_every_workload_is_exact_under_another_interpreter(
    model: Model, settings: Settings
) -> None:
    for name in WORKLOADS:
        run = run_once(make_workload(name, PARAMETERS[name]), *RANGES[name], model, settings)
        assert run.exact, name
        assert run.intervals == [list(RANGES[name])]
        assert run.model == str(model)


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_cpu_time_switches_and_memory_of_the_process_are_measured(
    model: Model, settings: Settings
) -> None:
    mixed = make_workload("mixed", {"cpu_s": 0.01, "wait_s": 0.0})
    run = run_once(mixed, 0, 40, model, settings)
    assert 0.4 <= run.busy_s < 0.6
    assert run.cpu_s >= 0.35
    assert run.voluntary_switches + run.involuntary_switches > 0
    assert run.peak_memory_bytes > 10 * 2**20
    assert 0 < run.efficiency <= 1.05


@pytest.mark.parametrize("model", [m for m in MODELS if m.name not in ONE_SLOT], ids=str)
def test_no_chunk_waits_behind_a_long_one_while_another_slot_is_free(model: Model) -> None:
    with executor_of(model) as executor:
        executor.submit([LONG, *SHORT[:-1]])
        arrived = collect(executor, len(SHORT) - 1)
        executor.submit(SHORT[-1:])  # while the process waits for the long chunk
        arrived += collect(executor, 1)
    assert arrived == SHORT


@pytest.mark.parametrize("model", [m for m in MODELS if m.name not in ONE_SLOT], ids=str)
def test_slots_have_names_of_their_own(model: Model) -> None:
    with executor_of(model) as executor:
        executor.submit([Chunk(0, 20), Chunk(20, 40)])
        results: list[ChunkResult] = []
        while len(results) < 2:
            results += executor.collect(10.0)
    assert len({result.slot for result in results}) == 2


def test_the_process_imports_the_standard_library_and_this_package_only() -> None:
    """The program as the other interpreter runs it, with a look at all that it has imported."""
    code = f"""
import json, runpy, sys
runpy.run_path({other_interpreter.SCRIPT!r}, run_name="program")
files = {{name: getattr(module, "__file__", None) for name, module in sys.modules.items()}}
print(json.dumps([files, sys.path]))
"""
    command = [sys.executable, *ISOLATED, "-c", code]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    files, path = json.loads(answer.stdout)
    ours = {name for name in files if name.split(".")[0] == "poolrace"}
    standard = {name for name in files if name.split(".")[0] in sys.stdlib_module_names}
    assert set(files) - ours - standard <= {"__main__", "__mp_main__"}
    libraries = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
    assert "site" not in files
    assert not any("site-packages" in each or "dist-packages" in each for each in path), libraries
    assert ours >= {"poolrace.workers.compute", "poolrace.producer.executors.threads"}
    heavy = ("celery", "click", "experiments", "reports", "broker", "cluster", "commands", "race")
    assert not any(word in name.split(".") for name in ours for word in heavy)


def test_packages_beside_an_installed_poolrace_are_not_seen(tmp_path: Path) -> None:
    """They are of another Python version, and may have the name of a module of a user."""
    package = Path(other_interpreter.SCRIPT).parents[2]
    shutil.copytree(package, tmp_path / "poolrace", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "numpy.py").write_text("raise SystemExit('imported')")
    (tmp_path / "json.py").write_text("raise SystemExit('imported')")
    program = tmp_path / "poolrace" / "producer" / "executors" / "serve_chunks.py"
    code = f"""
import runpy
runpy.run_path({str(program)!r}, run_name="program")
import poolrace
print(poolrace.__file__)
import numpy
"""
    command = [sys.executable, *ISOLATED, "-c", code]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.stdout.strip() == str(tmp_path / "poolrace" / "__init__.py")
    assert answer.stderr.strip().endswith("No module named 'numpy'")
    assert not list((tmp_path / "poolrace").rglob("__pycache__"))


def test_an_error_of_a_chunk_has_the_words_that_it_has_here(settings: Settings) -> None:
    """NumPy is a package, which the process does not see."""
    job = Job(make_workload("sum", {"kernel": "numpy"}), 0, 10)
    for name in ("threads", "processes"):
        model = Model("local", name, 2, facts_of(sys.executable))
        with executor_of(model, job) as executor:
            executor.submit([Chunk(0, 10)])
            with pytest.raises(UsageError, match=r"--kernel numpy needs the extra 'numpy'"):
                executor.collect(20.0)


def test_output_of_the_interpreter_does_not_get_between_the_results(tmp_path: Path) -> None:
    """A warning on standard error and a large one before the start are no results."""
    noisy = script(tmp_path, f'echo careful >&2\nexec {THIS_PYTHON} "$@"')
    with threads(replace(facts_of(sys.executable), path=noisy)) as executor:
        executor.submit(SHORT)
        assert collect(executor, len(SHORT)) == SHORT


def test_a_model_that_the_interpreter_cannot_run_is_refused(settings: Settings) -> None:
    model = Model("local", "greenlets", 2, facts_of(sys.executable))
    with pytest.raises(UsageError, match=r"it needs gevent, and --python uses no installed packag"):
        make_executor(model, WAITING, settings)
    old = replace(facts_of(sys.executable), version="3.13.5", label="3.13")
    model = Model("local", "interpreters", 2, old)
    with pytest.raises(UsageError, match=r"interpreters @ 3.13 cannot run: it needs Python 3.14,"):
        make_executor(model, WAITING, settings)


def test_a_chunk_costs_little_more_than_in_this_process(settings: Settings) -> None:
    """Two pipes and JSON: measured 0.05 ms per chunk of CPU time."""
    began = time.process_time()
    with threads() as executor:
        chunks = [Chunk(10**6 - n - 1, 10**6 - n - 1) for n in range(500)]
        executor.submit(chunks)
        assert len(collect(executor, 500)) == 500
    assert time.process_time() - began < 1.0
