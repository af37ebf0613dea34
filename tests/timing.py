"""pytest plugin for the marker ``timing``: tests with a bound on measured times.

They run last. Before each of them the plugin measures the background load, unless the timing test
before it has just run on a quiet machine. On a busy machine a
timing test is *refused*: it neither passes nor fails, and is tried again after the other tests, at
most three times in all. A timing test that fails is refused, too, if other processes were in its
way. In CI the session fails if every timing test was refused.
"""

import os
import time
from collections.abc import Generator
from dataclasses import dataclass, field

import pytest

from poolrace.producer.analysis.race_summary import BUSY_BELOW
from poolrace.producer.race.background_load import MACHINE_CORES, CpuSnapshot
from poolrace.workers.pools import CORES

TRIES = 3
"""Attempts at a timing test before its refusal is final."""

SAMPLE_S = 0.3
"""Seconds over which the background load is measured before a timing test."""

WAIT_S = 30.0
"""Seconds to wait for the background load to fall, once per round of attempts."""

ALONE = "timing tests run one at a time; run: pytest -m timing"


@dataclass(frozen=True)
class Load:
    """Background load: how many cores of the machine other processes use."""

    used: float

    @property
    def busy(self) -> bool:
        """Whether a race would count the machine as busy."""
        return MACHINE_CORES - self.used < BUSY_BELOW * CORES

    def __str__(self) -> str:
        return f"other processes use {self.used:.1f} of {MACHINE_CORES} cores"


def load_since(before: CpuSnapshot) -> Load:
    """The background load between that snapshot and now, on average."""
    return Load(MACHINE_CORES - CpuSnapshot.now().cores_left(before))


def measure_load() -> Load:
    """The background load during a sample from now on."""
    before = CpuSnapshot.now()
    time.sleep(SAMPLE_S)  # the length of the sample
    return load_since(before)


def is_timing(item: pytest.Item) -> bool:
    """Whether the test has the marker."""
    return item.get_closest_marker("timing") is not None


@dataclass(eq=False)  # pytest needs plugins that are hashable
class TimingTests:
    """Decides for each timing test of a session whether it runs, is refused or is tried again."""

    attempts: dict[str, int] = field(default_factory=dict)
    """Test -> number of its attempts so far."""
    waited: set[int] = field(default_factory=set)
    """Rounds of attempts in which the wait for a quiet machine was in vain."""
    started: CpuSnapshot | None = None
    """CPU use at the beginning of the current test."""
    reason: str = ""
    """Why the current test is refused; empty if it is not."""
    quiet: bool = False
    """Whether the machine was quiet during the last test, which was long enough to tell."""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Put the timing tests last."""
        items.sort(key=is_timing)

    @pytest.hookimpl(wrapper=True, tryfirst=True)  # outside of the time limit of a test
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Wait for a quiet machine; enqueue a refused test again, behind all other tests."""
        if not is_timing(item):
            return (yield)
        self.attempts[item.nodeid] = self.attempts.get(item.nodeid, 0) + 1
        self.reason = self._reason_to_refuse(item)
        self.started, self.quiet = CpuSnapshot.now(), False
        done = yield
        if not self.reason and time.monotonic() - self.started.at >= SAMPLE_S:
            self.quiet = not load_since(self.started).busy
        if self.reason and self._has_attempts(item):
            item.session.items.append(item)
        return done

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Refuse the test before any of its fixtures is set up."""
        if is_timing(item) and self.reason:
            pytest.skip(self.reason)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Mark the reports of refused tests; a failure on a busy machine is one of them."""
        report = yield
        if is_timing(item):
            if report.failed and report.when == "call" and self.started:
                load = load_since(self.started)
                self.reason = str(load) if load.busy else ""
                if self.reason:
                    report.outcome = "skipped"
                    report.longrepr = (str(item.path), item.location[1] or 0, self.reason)
            if report.skipped and self.reason:
                report.refusal = self.reason  # type: ignore[attr-defined]
                report.final = not self._has_attempts(item)  # type: ignore[attr-defined]
        return report

    def _has_attempts(self, item: pytest.Item) -> bool:
        return self.reason != ALONE and self.attempts[item.nodeid] < TRIES

    def _reason_to_refuse(self, item: pytest.Item) -> str:
        if "PYTEST_XDIST_WORKER" in os.environ:
            return ALONE
        if self.quiet:
            return ""
        attempt = self.attempts[item.nodeid]
        deadline = time.monotonic() + WAIT_S * (attempt not in self.waited)
        while (load := measure_load()).busy:
            if time.monotonic() >= deadline:
                self.waited.add(attempt)
                return str(load)
        return ""


def pytest_configure(config: pytest.Config) -> None:
    """Register the decisions of this session."""
    config.pluginmanager.register(TimingTests(), "timing-tests")


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Give refused tests outcomes of their own in the summary."""
    if not getattr(report, "refusal", ""):
        return None
    return ("refused", "R", "REFUSED") if report.final else ("deferred", "d", "DEFERRED")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many timing tests were refused, and why."""
    refused = terminalreporter.stats.get("refused", [])
    if refused:
        reason = refused[-1].refusal
        terminalreporter.write_line(f"refused: {len(refused)} timing test(s): {reason}")
    if _fails_ci(terminalreporter):
        terminalreporter.write_line(f"no timing test could run in {TRIES} tries: a failure in CI")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI fail the session if no timing test could run."""
    if _fails_ci(session.config.pluginmanager.get_plugin("terminalreporter")):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _fails_ci(reporter: pytest.TerminalReporter | None) -> bool:
    if reporter is None or not os.environ.get("CI") or not reporter.stats.get("refused"):
        return False
    outcomes = [report for name in ("passed", "failed") for report in reporter.stats.get(name, ())]
    return not any("timing" in report.keywords for report in outcomes)
