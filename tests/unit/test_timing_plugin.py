"""The plugin for timing tests, in small pytest sessions with a made-up background load."""

import pytest

from poolrace.producer.race.background_load import MACHINE_CORES
from tests import timing

TESTS = """
import pytest

@pytest.mark.timing
def test_timing():
    assert {holds}

@pytest.mark.timing
def test_second_timing():
    pass
"""


WITHOUT = ("-p", "no:warnings", "-p", "no:celery")
"""Options that switch plugins off: pytest-celery registers its tasks each time it is imported."""


class Machine:
    """A machine with a made-up background load."""

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
        self._pytester = pytester
        self._monkeypatch = monkeypatch

    def run(
        self, used: list[float], *, holds: bool = True, options: str = "-p no:xdist"
    ) -> pytest.RunResult:
        """A session with two timing tests and another test.

        ``used`` has the cores that other processes use, sample by sample, as parts of all cores.
        """
        samples = (timing.Load(part * MACHINE_CORES) for part in used)
        self._monkeypatch.setattr(timing, "measure_load", lambda: next(samples))
        self._monkeypatch.setattr(timing, "load_since", lambda _: next(samples))
        other = self._pytester.mkdir("other")
        (other / "conftest.py").touch()  # a second one, as in the tests of this project
        (other / "test_other.py").write_text("def test_other(): pass")
        self._pytester.makepyfile(test_main=TESTS.format(holds=holds))
        done = self._pytester.runpytest_inprocess(
            "-p", "tests.timing", *WITHOUT, "-v", *options.split()
        )
        assert list(samples) == [], "the load was measured less often"
        return done


@pytest.fixture
def machine(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> Machine:
    """A machine whose sessions are neither in CI nor parallel, and never wait."""
    monkeypatch.setenv("PYTHONPATH", str(pytestconfig.rootpath))
    for name in ("CI", "PYTEST_XDIST_WORKER", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(timing, "WAIT_S", 0.0)
    pytester.makeini("[pytest]\nmarkers = timing: has a bound on measured times")
    return Machine(pytester, monkeypatch)


def test_timing_tests_run_last_on_a_quiet_machine(machine: Machine) -> None:
    found = machine.run([0.0, 0.0])
    found.assert_outcomes(passed=3)
    found.stdout.fnmatch_lines(["*test_other PASSED*", "*test_timing PASSED*"])
    assert found.ret == 0


def test_timing_tests_are_refused_on_a_busy_machine_after_three_tries(
    machine: Machine,
) -> None:
    found = machine.run([1.0] * 6)
    assert found.parseoutcomes() == {"passed": 1, "refused": 2, "deferred": 4}
    found.stdout.fnmatch_lines(["refused: 2 timing test(s): other processes use * of * cores"])
    assert found.ret == 0


def test_a_deferred_test_runs_when_the_load_falls(machine: Machine) -> None:
    found = machine.run([1.0, 1.0, 1.0, 0.0, 0.0])
    assert found.parseoutcomes() == {"passed": 3, "deferred": 3}
    found.stdout.fnmatch_lines(["*test_second_timing PASSED*", "*test_timing PASSED*"])
    assert found.ret == 0


def test_ci_fails_if_no_timing_test_could_run(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    found = machine.run([1.0] * 6)
    assert found.ret == pytest.ExitCode.TESTS_FAILED
    found.stdout.fnmatch_lines(["no timing test could run in 3 tries: a failure in CI"])


def test_ci_passes_if_one_timing_test_could_run(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    found = machine.run([0.0] + [1.0] * 3)
    assert found.parseoutcomes() == {"passed": 2, "refused": 1, "deferred": 2}
    assert found.ret == 0


def test_a_failure_on_a_quiet_machine_counts(machine: Machine) -> None:
    found = machine.run([0.0, 0.0, 0.0], holds=False)
    found.assert_outcomes(passed=2, failed=1)
    assert found.ret == pytest.ExitCode.TESTS_FAILED


def test_a_failure_beside_other_processes_is_tried_again(machine: Machine) -> None:
    """Samples: before and after the first test, before the second, before and after again."""
    found = machine.run([0.0, 1.0, 0.0, 0.0, 0.0], holds=False)
    assert found.parseoutcomes() == {"passed": 2, "deferred": 1, "failed": 1}
    assert found.ret == pytest.ExitCode.TESTS_FAILED


def test_after_a_test_on_a_quiet_machine_the_load_is_not_measured_before_the_next_one(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Samples: before and after the first test, and after the second."""
    monkeypatch.setattr(timing, "SAMPLE_S", 0.0)
    machine.run([0.0, 0.0, 0.0]).assert_outcomes(passed=3)


def test_after_a_test_on_a_busy_machine_the_load_is_measured_before_the_next_one(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Samples: before and after the first test, before the second, and before and after it when
    it is tried again."""
    monkeypatch.setattr(timing, "SAMPLE_S", 0.0)
    found = machine.run([0.0, 1.0, 1.0, 0.0, 0.0])
    assert found.parseoutcomes() == {"passed": 3, "deferred": 1}


def test_timing_tests_are_refused_in_a_parallel_run(machine: Machine) -> None:
    found = machine.run([], options="-n 1")
    assert found.parseoutcomes() == {"passed": 1, "refused": 2}
    found.stdout.fnmatch_lines(["refused: 2 timing test(s): timing tests run one at a time; *"])
