"""Local models in a process of another interpreter, which has only the standard library."""

import json
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import pytest

from poolrace.producer.errors import ChunkFailed, JobFailed
from poolrace.producer.executors import other_interpreter
from poolrace.producer.executors.models import (
    LOCAL_MODELS,
    ONE_SLOT,
    Model,
    make_executor,
    missing,
)
from poolrace.producer.executors.other_interpreter import OtherInterpreter
from poolrace.producer.interpreters import ISOLATED, probe
from poolrace.producer.jobs.job import Job
from poolrace.producer.results.interpreter import Interpreter
from poolrace.producer.settings import Settings
from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.errors import UsageError
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.workloads import WORKLOADS, make_workload
from tests.conftest import run_once, wait_until
from tests.other_interpreters import PYTHONS, script
from tests.unit.test_executors import LONG, SHORT, WAITING, collect

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


@pytest.mark.parametrize("model", OURS, ids=str)
def test_nothing_is_left_after_the_end(model: Model) -> None:
    """Also in the middle of a chunk of 1000 s."""
    before = children()
    with executor_of(model) as executor:
        executor.submit([LONG, *SHORT])
        assert executor.model == str(model)
        if model.name not in ONE_SLOT:
            assert executor.collect(20.0)
        started = [process for process in children() if process not in before]
        assert started
    wait_until(lambda: not any(process.is_running() for process in started))


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGSEGV], ids=["killed", "crashed"])
def test_a_process_that_dies_in_its_chunk_is_named(signum: signal.Signals) -> None:
    with threads() as executor:
        executor.submit([LONG, *SHORT])
        assert executor.collect(20.0)
        psutil.Process(executor.slot_pids[0]).send_signal(signum)
        with pytest.raises(
            ChunkFailed,
            match=rf"chunk \[0, 100_000\) failed on here: its process \d+ of .* code -{signum}",
        ):
            collect(executor, len(SHORT) + 1)


def test_an_idle_process_that_dies_is_named() -> None:
    with threads() as executor:
        psutil.Process(executor.slot_pids[0]).kill()
        with pytest.raises(JobFailed, match=r"an idle slot failed on here: .* code -9"):
            executor.collect(20.0)


def test_a_process_that_died_fails_the_chunks_that_it_gets() -> None:
    with threads() as executor:
        process = psutil.Process(executor.slot_pids[0])
        process.kill()
        wait_until(lambda: process.status() == psutil.STATUS_ZOMBIE)
        executor.submit([LONG])
        with pytest.raises(ChunkFailed, match=r"chunk \[0, 100_000\) failed on here"):
            executor.collect(20.0)


def test_a_slot_of_the_process_that_dies_is_named() -> None:
    model = Model("local", "processes", 2, facts_of(sys.executable))
    with executor_of(model) as executor:
        executor.submit([LONG, *SHORT])
        assert executor.collect(20.0)
        _, *slots = executor.slot_pids
        assert len(slots) == 2
        for slot in slots:
            psutil.Process(slot).kill()
        with pytest.raises(JobFailed, match=r"on here: its process .* died with exit code -9"):
            collect(executor, len(SHORT) + 1)


def test_a_process_that_hangs_is_killed_at_the_end() -> None:
    """As after Ctrl-C: a stopped process does not delay the end."""
    with threads() as executor:
        process = psutil.Process(executor.slot_pids[0])
        process.suspend()
        executor.submit([LONG])
        assert executor.collect(0.1) == []
    assert not process.is_running()


def test_a_process_that_is_never_ready_fails_the_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(other_interpreter, "START_S", 0.5)
    hanging = replace(facts_of(sys.executable), path=script(tmp_path, "sleep 1000"))
    before = children()
    with pytest.raises(JobFailed, match=r"python was not ready within 0.5 s on here"):
        threads(hanging).__enter__()
    assert children() == before


def test_a_process_that_crashes_at_its_start_is_named(tmp_path: Path) -> None:
    crashing = replace(
        facts_of(sys.executable), path=script(tmp_path, "echo no memory >&2; exit 7")
    )
    with pytest.raises(JobFailed, match=r"died with exit code 7: no memory"):
        threads(crashing).__enter__()


def test_a_process_that_sends_anything_but_results_fails_the_job(tmp_path: Path) -> None:
    text = "read line; echo '{\"pids\": []}'; read line; echo Hello; sleep 1000"
    chatty = replace(facts_of(sys.executable), path=script(tmp_path, text))
    with threads(chatty) as executor:
        executor.submit([LONG])
        with pytest.raises(JobFailed, match=r"python sent b'Hello' in place of a result on here"):
            executor.collect(20.0)


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
    noisy = script(tmp_path, f'echo careful >&2\nexec {sys.executable} "$@"')
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
