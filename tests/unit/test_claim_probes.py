"""The measuring programs of the claims: their figures, their isolation, and what they leave."""

import contextlib
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from poolrace.producer.experiments.claims import run
from poolrace.producer.experiments.claims.catalogue import CLAIMS
from poolrace.producer.experiments.claims.run import Measured, measure
from poolrace.producer.processes.polling import poll_until
from poolrace.workers.errors import UsageError
from poolrace.workers.probes import command
from poolrace.workers.probes import run as worker
from poolrace.workers.probes.program import EXPERIMENTS

UNITS = ("_s", "_bytes", "_count")

SHARED_MEMORY = Path("/dev/shm")

NEED_PYTHON_3_14 = {"compute-interpreters", "create-interpreters", "memory-interpreters"}


def quick(name: str) -> Measured:
    (measured,) = measure(None, [name], lambda _: None, ["--quick"])
    return measured


def figures_of(experiment: str) -> set[str]:
    return {
        figure for claim in CLAIMS if claim.experiment == experiment for figure in claim.figures
    }


def _unmapped_blocks() -> set[Path]:
    """Blocks of shared memory that no process has mapped: other tests use some meanwhile."""
    blocks = {*SHARED_MEMORY.glob("psm_*")}
    for maps in Path("/proc").glob("[0-9]*/maps") if blocks else ():
        with contextlib.suppress(OSError):
            mapped = maps.read_text()
            blocks = {block for block in blocks if str(block) not in mapped}
    return blocks


@pytest.fixture
def nothing_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Compares processes, blocks of shared memory and temporary directories before and after."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # of programs that a test starts itself

    def present() -> set[object]:
        return {
            *_unmapped_blocks(),
            *tmp_path.glob("poolrace-claims-*"),
            *psutil.Process().children(recursive=True),
        }

    before = present()
    yield
    assert poll_until(lambda: present() <= before, 30.0), present() - before


def test_each_claim_has_its_own_name_and_an_experiment_that_exists() -> None:
    assert len({claim.name for claim in CLAIMS}) == len(CLAIMS)
    assert {claim.experiment for claim in CLAIMS} == set(EXPERIMENTS)


def test_each_figure_ends_with_its_unit() -> None:
    for claim in CLAIMS:
        assert claim.figures
        assert all(figure.endswith(UNITS) for figure in claim.figures)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_measures_the_figures_of_its_claims_in_each_round(
    name: str, nothing_left_behind: None
) -> None:
    measured = quick(name)
    assert measured.name == name
    if sys.version_info < (3, 14) and name in NEED_PYTHON_3_14:
        assert measured == Measured(name, {}, "needs Python 3.14")
    elif measured.impossible:
        assert measured.impossible.startswith("needs two cores; this process may use")
    else:
        assert set(measured.figures) == figures_of(name)
        assert all(len(values) == 2 for values in measured.figures.values())


def test_the_programs_need_no_package(tmp_path: Path) -> None:
    """A bare interpreter, without site-packages, measures an experiment from another directory."""
    words = [sys.executable, "-I", "-S", str(command.PROGRAM), "generator", "--quick"]
    output = subprocess.run(words, cwd=tmp_path, capture_output=True, check=True).stdout
    assert b'"right_answers_count": [1000, 1000]' in output


def test_threads_share_data_and_files_and_processes_do_not() -> None:
    figures = quick("sharing").figures
    assert figures["thread_changes_seen_count"] == figures["thread_files_seen_count"] == [100, 100]
    assert figures["process_changes_seen_count"] == figures["process_files_seen_count"] == [0, 0]


def test_an_interpreter_that_does_not_exist_is_a_usage_error(
    tmp_path: Path, nothing_left_behind: None
) -> None:
    with pytest.raises(UsageError, match="give the path of a Python"):
        measure(tmp_path / "python", ["generator"], lambda _: None)


def test_a_program_that_fails_is_named_with_its_last_line(nothing_left_behind: None) -> None:
    (measured,) = measure(None, ["no-such-experiment"], lambda _: None)
    assert measured == Measured(
        "no-such-experiment", {}, "the program failed: KeyError: 'no-such-experiment'"
    )


def test_a_program_that_does_not_end_is_ended_with_its_processes(
    monkeypatch: pytest.MonkeyPatch, nothing_left_behind: None
) -> None:
    monkeypatch.setattr(run, "PROGRAM_S", 1.0)
    monkeypatch.setattr(command, "PROGRAM_S", 1.0)
    (measured,) = measure(None, ["memory"], lambda _: None)
    assert measured == Measured("memory", {}, "the program was ended after 1 s")


@pytest.mark.parametrize("name", ["memory", "shared-memory"])
def test_a_worker_ends_a_program_that_does_not_end_with_all_that_it_made(
    name: str, monkeypatch: pytest.MonkeyPatch, nothing_left_behind: None
) -> None:
    monkeypatch.setattr(worker, "PROGRAM_S", 1.0)
    monkeypatch.setattr(command, "PROGRAM_S", 1.0)
    assert worker.run_probe(name)["impossible"] == "the program was ended after 1 s"


def test_the_programs_end_with_the_process_that_started_them(nothing_left_behind: None) -> None:
    """SIGKILL of the measuring process ends its program and the processes of that."""
    code = (
        "from poolrace.producer.experiments.claims.run import measure\n"
        "measure(None, ['memory'], lambda _: None)"
    )
    starter = psutil.Popen([sys.executable, "-c", code])
    started = poll_until(lambda: _grandchildren(starter), 30.0)
    assert started
    starter.send_signal(signal.SIGKILL)
    starter.wait()
    _, alive = psutil.wait_procs(started, timeout=30.0)
    assert not alive, alive


@pytest.mark.parametrize("name", ["shared-memory", "server", "create"])
def test_a_program_that_is_told_to_end_removes_what_it_made(
    name: str, nothing_left_behind: None
) -> None:
    program = psutil.Popen([sys.executable, "-I", "-S", str(command.PROGRAM), name])
    assert poll_until(program.children, 30.0)
    started = program.children(recursive=True)
    program.terminate()
    assert program.wait(30.0)
    _, alive = psutil.wait_procs(started, timeout=30.0)
    assert not alive, alive


def test_a_program_that_takes_too_long_leaves_no_shared_memory(
    monkeypatch: pytest.MonkeyPatch, nothing_left_behind: None
) -> None:
    """The process that removes shared memory of a killed program would be killed with it."""

    def take_too_long(ended: Callable[[], bool], timeout_s: float) -> bool:
        assert poll_until(lambda: set(SHARED_MEMORY.glob("psm_*")) - blocks, timeout_s)
        return ended()

    blocks = set(SHARED_MEMORY.glob("psm_*"))
    monkeypatch.setattr(run, "poll_until", take_too_long)
    (measured,) = measure(None, ["shared-memory"], lambda _: None)
    assert measured.impossible.startswith("the program was ended")


def _grandchildren(process: psutil.Process) -> list[psutil.Process]:
    """The guard, the measuring program and its processes, once there are some."""
    found = process.children(recursive=True)
    return found if len(found) > 2 else []
