"""``producer claims``: options, measuring, errors, and experiments on workers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from poolrace.producer.errors import JobFailed
from poolrace.producer.experiments.claims import measure_claims as module
from poolrace.producer.experiments.claims.measure_claims import (
    ALL_CLAIMS,
    NAMES,
    ClaimsOptions,
    measure_claims,
)
from poolrace.producer.experiments.claims.messages import MESSAGE_PRICE
from poolrace.producer.experiments.claims.on_pool import _read
from poolrace.producer.experiments.claims.run import Measured
from poolrace.producer.reports.views.view import view
from poolrace.producer.results.claims import Claims
from poolrace.producer.results.files import load
from poolrace.producer.settings import Settings
from poolrace.workers import installation
from poolrace.workers.errors import ClusterError, UsageError
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.probes.program import EXPERIMENTS
from poolrace.workers.probes.run import run_probe
from tests.in_process import InProcess
from tests.unit.made_up_claims import facts, interpreter

DATA = Path(__file__).parent.parent / "data"

PAIR = ("create-coroutine", "switch-coroutine")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("create-threads",), "'create-threads' is unknown; did you mean create-thread?"),
        (("--on", "thread"), "'thread' is unknown; did you mean threads?"),
        (("--on", "threads", "--python", "python3"), "exclude each other; give one"),
        (("--python", "./no-python"), "there is no such file"),
        (("message-price", "--python", "python3"), "leave --python out"),
        (("--report", "c.trace.json"), "a file of claims has no trace"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_measured(
    producer_in_process: InProcess, arguments: tuple[str, ...], message: str
) -> None:
    answer = producer_in_process("claims", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err
    assert answer.err.count("\n") == 1


def test_claims_are_measured_stored_and_printed(producer_in_process: InProcess) -> None:
    answer = producer_in_process("claims", "generator-state", "--out", "c.json", "--json")
    assert answer.code == 0
    [printed] = answer.json()["claims"]
    assert (printed["name"], printed["verdict"]) == ("generator-state", "holds")
    assert printed["because"].startswith("Right answers 1,000, numbers 1,000, send ")
    assert printed["figures"][0]["median"] == 1000
    stored = load(producer_in_process.directory / "c.json")
    assert isinstance(stored, Claims)
    assert (stored.planned, stored.complete) == (1, True)
    assert stored.invocation == "producer claims generator-state"


Step = Callable[[str], object]


def test_claims_that_end_early_are_kept(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    def measure(_: Path | None, names: Sequence[str], report_step: Step) -> list[Measured]:
        if names == ["switch"]:
            raise KeyboardInterrupt
        return [Measured(names[0], {"thread_s": [1.0], "coroutine_s": [1.0]})]

    monkeypatch.setattr(module, "measure", measure)
    kept: list[Claims] = []
    with pytest.raises(KeyboardInterrupt):
        measure_claims(ClaimsOptions(PAIR), settings, keep=kept.append)
    [incomplete] = kept
    assert [each.name for each in incomplete.claims] == ["create-coroutine"]
    assert (incomplete.complete, incomplete.interruption) == (False, "interrupted")
    assert incomplete.planned == 2


def test_an_experiment_that_is_impossible_becomes_a_claim_that_was_not_tested(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    reason = "needs two cores; this process may use 1"
    monkeypatch.setattr(module, "measure", lambda *_: [Measured("cores", {}, reason)])
    [tested] = measure_claims(ClaimsOptions(["two-processes"]), settings).claims
    assert (tested.figures, tested.not_tested) == ([], reason)
    assert view(measure_claims(ClaimsOptions(["two-processes"]), settings)).validity == (
        "no claim was tested; not tested, and not counted: 1"
    )


def test_each_experiment_runs_once_under_each_interpreter(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    ran: list[tuple[Path | None, str]] = []

    def measure(path: Path | None, names: Sequence[str], _: Step) -> list[Measured]:
        ran.append((path, names[0]))
        return [Measured(names[0], {"one_thread_s": [1.0]})]

    monkeypatch.setattr(module, "measure", measure)
    both = [interpreter("3.13"), interpreter("3.13t", gil=False)]
    options = ClaimsOptions(["two-processes", "computing-alone", "one-thread-one-core"], both)
    tested = measure_claims(options, settings)
    paths = [Path(each.path) for each in both]
    assert ran == [(path, name) for path in paths for name in ("cores", "compute")]
    assert [(each.name, each.interpreter) for each in tested.claims] == [
        (name, label)
        for name in ("one-thread-one-core", "computing-alone", "two-processes")
        for label in ("3.13", "3.13t")
    ]
    assert (options.planned, options.steps) == (6, 4)


def test_other_interpreters_measure_no_message() -> None:
    assert MESSAGE_PRICE in ClaimsOptions().texts
    assert MESSAGE_PRICE not in ClaimsOptions(NAMES, [interpreter()]).texts


def test_messages_are_measured_without_a_pool_whose_package_is_missing(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """A temporary cluster of all pools would be refused, after all other experiments."""
    measured: list[str] = []

    def measure(pools: Sequence[str], *_: object) -> tuple[Measured, list[HostFacts]]:
        measured.extend(pools)
        return Measured("messages", {"local_threads_s": [1e-5], "solo_s": [1e-3]}), []

    monkeypatch.setattr(installation, "find_spec", lambda name: None if name == "gevent" else name)
    monkeypatch.setattr(module, "measure_messages", measure)
    [claim] = measure_claims(ClaimsOptions(["message-price"]), settings).claims
    assert measured == ["prefork", "threads", "solo"]
    assert list(claim.values()) == ["local_threads_s", "solo_s"]


def test_each_claim_has_its_own_name_and_experiment() -> None:
    assert len(set(NAMES)) == len(ALL_CLAIMS)
    assert {text.experiment for text in ALL_CLAIMS} == {*EXPERIMENTS, MESSAGE_PRICE.experiment}


def test_each_claim_is_documented_with_its_statement() -> None:
    page = (DATA.parents[1] / "docs/explanation/claims.md").read_text()
    for text in ALL_CLAIMS:
        assert f"| `{text.name}` | {text.statement} |" in page


def test_a_worker_runs_named_experiments_only() -> None:
    for name in ("../program", "generator --quick", "os.system"):
        with pytest.raises(UsageError, match="is unknown"):
            run_probe(name)


@pytest.mark.parametrize(
    "answer",
    [
        UsageError("experiment 'x' is unknown"), None, {}, {"figures": {}, "impossible": ""},
        {"host": facts().to_json(), "figures": {"a_s": ["1"]}, "impossible": ""},
    ],
)  # fmt: skip
def test_an_answer_of_a_worker_without_figures_is_an_error(answer: object) -> None:
    with pytest.raises(JobFailed, match="cores failed on pool 'solo'"):
        _read("cores", "solo", answer)


def test_an_answer_of_a_worker_has_its_host() -> None:
    answer = {"host": facts().to_json(), "figures": {"a_s": [1.0]}, "impossible": ""}
    assert _read("cores", "solo", answer) == (Measured("cores", {"a_s": [1.0]}), facts())


def test_the_interpreter_of_a_worker_is_that_of_its_host(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    free = replace(facts(), python="CPython 3.13.5", gil=False)

    def on_pool(pool: str, names: Sequence[str], *_: object) -> Iterator[tuple[Measured, object]]:
        for name in names:
            yield Measured(name, {"one_thread_s": [1.0]}), free

    monkeypatch.setattr(module, "measure_on_pool", on_pool)
    given = replace(settings, broker_url="redis://127.0.0.1:1/0")
    tested = measure_claims(ClaimsOptions(["two-processes"], pool="solo"), given)
    assert [(each.interpreter, each.pool) for each in tested.claims] == [("3.13t", "solo")]
    assert tested.environment.hosts == [free]


def test_a_pool_that_is_lost_ends_the_claims_as_a_cluster_error(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    def on_pool(*_: object) -> Iterator[tuple[Measured, object]]:
        yield Measured("cores", {"one_thread_s": [1.0]}), facts()
        raise ClusterError("Redis does not answer")

    monkeypatch.setattr(module, "measure_on_pool", on_pool)
    kept: list[Claims] = []
    given = replace(settings, broker_url="redis://127.0.0.1:1/0")
    with pytest.raises(ClusterError):
        measure_claims(
            ClaimsOptions(["two-processes", *PAIR], pool="solo"), given, keep=kept.append
        )
    assert [(each.name, kept[0].interruption) for each in kept[0].claims] == [
        ("two-processes", "cluster lost")
    ]
