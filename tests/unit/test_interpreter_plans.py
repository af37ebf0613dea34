"""Cases under other interpreters: their plans, their results files and their reports."""

from dataclasses import replace
from pathlib import Path

import pytest

from poolrace.producer.analysis.diff_environment import unlike_versions
from poolrace.producer.executors import models
from poolrace.producer.executors.models import LOCAL_MODELS, Model
from poolrace.producer.experiments.plans import Case, Plan, slots_plan, supported_plan, sweep_plan
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.schedules import AUTO
from poolrace.producer.reports.formats import FORMATS
from poolrace.producer.reports.views.interpreters import findings
from poolrace.producer.reports.views.view import view
from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.files import load, save
from poolrace.producer.results.interpreter import Interpreter, labelled
from poolrace.workers.errors import UsageError
from poolrace.workers.workloads import make_workload
from tests.in_process import InProcess
from tests.unit.made_up_comparisons import compared, series

OLD, FREE, NEW = labelled(
    [
        Interpreter("/opt/a", "3.13.5", "CPython", True, False, False, "--with-lto", "x86_64"),
        Interpreter("/opt/b", "3.13.5", "CPython", False, True, None, "--disable-gil", "x86_64"),
        Interpreter("/opt/c", "3.14.1", "CPython", True, False, True, "", "x86_64"),
    ]
)
JOB = Job(make_workload("sum", {}), 0, 1000)
THREADS = Model("local", "threads", 2)


def with_interpreters(comparison: Comparison, *interpreters: Interpreter) -> Comparison:
    environment = replace(comparison.environment, interpreters=list(interpreters))
    return replace(comparison, environment=environment)


def test_each_local_case_runs_under_each_interpreter_and_pools_under_their_own() -> None:
    cases = [Case(THREADS), Case(Model("celery", "prefork"))]
    plan = supported_plan(Plan(JOB, cases), [OLD, FREE])
    assert [str(case.model) for case in plan.cases] == [
        "local:threads @ 3.13", "local:threads @ 3.13t", "celery:prefork",
    ]  # fmt: skip
    assert plan.interpreters == [OLD, FREE]
    assert plan.left_out == {}


def test_without_interpreters_the_cases_stay_as_they_are() -> None:
    assert supported_plan(Plan(JOB, [Case(THREADS)])).cases == [Case(THREADS)]


def test_models_that_an_interpreter_cannot_run_are_left_out_with_the_reason() -> None:
    plan = Plan(JOB, [Case(Model("local", name)) for name in LOCAL_MODELS])
    plan = supported_plan(plan, [OLD, NEW])
    assert plan.left_out == {
        "local:greenlets @ 3.13": "it needs gevent, and --python uses no installed packages",
        "local:greenlets @ 3.14": "it needs gevent, and --python uses no installed packages",
        "local:interpreters @ 3.13": "it needs Python 3.14, and this is 3.13.5",
    }
    assert "local:interpreters @ 3.14" in {str(case.model) for case in plan.cases}


@pytest.mark.parametrize("name", ["greenlets", "interpreters"])
def test_a_model_that_no_interpreter_can_run_is_an_error_if_it_is_the_only_one(name: str) -> None:
    with pytest.raises(UsageError, match=rf"local:{name} @ 3.13 cannot run: it needs "):
        supported_plan(Plan(JOB, [Case(Model("local", name))]), [OLD])


def test_a_workload_that_needs_a_package_is_refused() -> None:
    job = replace(JOB, workload=make_workload("sum", {"kernel": "numpy"}))
    with pytest.raises(UsageError, match="the workload needs numpy, and --python"):
        supported_plan(Plan(job, [Case(THREADS)]), [OLD])


def test_interpreters_without_a_local_model_are_an_error() -> None:
    plan = Plan(JOB, [Case(Model("celery", "prefork"))])
    with pytest.raises(UsageError, match="--python is for local models, not for celery:prefork"):
        supported_plan(plan, [OLD])


def test_series_have_every_number_under_every_interpreter() -> None:
    sweep = supported_plan(sweep_plan(JOB, THREADS, [2, 8], 1), [OLD, NEW])
    scale = supported_plan(slots_plan(JOB, Model("local", "threads"), [1, 2], AUTO, 1), [OLD, NEW])
    assert len(sweep.cases) == len(scale.cases) == 4
    assert (sweep.varies, scale.varies) == ("chunks", "slots")


COMPARED = with_interpreters(
    compared(
        {
            "local:single @ 3.13": [1.0, 1.01, 0.99],
            "local:single @ 3.13t": [1.4, 1.41, 1.39],
            "local:threads @ 3.13": [1.0, 1.01, 0.99],
            "local:threads @ 3.13t": [0.7, 0.71, 0.69],
        }
    ),
    OLD,
    FREE,
)


def test_the_price_of_one_thread_and_the_gain_of_threads_are_reported() -> None:
    price, old, free = [line for line in view(COMPARED).findings if "ne thread" in line]
    assert price == "One thread was fastest under 3.13; it took 1.40 times as long under 3.13t."
    assert old.startswith("Over one thread under 3.13 (GIL on): threads 1.00x on ")
    assert free.startswith("Over one thread under 3.13t (GIL off): threads 2.00x on ")


def test_an_interpreter_as_fast_as_another_is_not_called_slower() -> None:
    times = {"local:single @ 3.13": [1.0, 1.1], "local:single @ 3.13t": [1.02, 1.12]}
    lines = view(with_interpreters(compared(times), OLD, FREE)).findings
    assert "under 3.13t not distinguishable from it" in "".join(lines)
    assert findings([], [OLD, FREE]) == []


def test_the_facts_of_each_interpreter_are_in_every_report() -> None:
    lines = view(COMPARED).environment
    assert "3.13: CPython 3.13.5, GIL on, JIT off, x86_64, /opt/a, built with --with-lto" in lines
    assert (
        "3.13t: CPython 3.13.5 free-threaded, GIL off, JIT not known, x86_64, /opt/b, built with"
        " --disable-gil"
    ) in lines
    for name in ("text", "markdown", "html"):
        assert "free-threaded, GIL off" in str(FORMATS[name](COMPARED))


def test_models_left_out_are_named_in_reports_and_stored(tmp_path: Path) -> None:
    why = "it needs Python 3.14, and this is 3.13.5"
    comparison = replace(COMPARED, left_out={"local:interpreters @ 3.13": why})
    save(comparison, tmp_path / "r.json")
    stored = load(tmp_path / "r.json")
    assert stored == comparison
    assert f"local:interpreters @ 3.13 was left out, because {why}" in view(stored).notes


@pytest.mark.parametrize("varies", ["chunks", "slots"])
def test_a_series_under_several_interpreters_has_a_section_for_each(varies: str) -> None:
    first = series(varies, {1: [1.0, 1.1], 2: [0.6, 0.7], 4: [0.5, 0.6]})  # type: ignore[arg-type] # one of the two
    runs = [
        replace(run, model=f"local:threads @ {each.label}")
        for run in first.runs
        for each in (OLD, NEW)
    ]
    comparison = with_interpreters(replace(first, runs=tuple(runs)), OLD, NEW)
    content = view(comparison)
    assert "under local:threads @ 3.13, 3.14: " in content.title
    assert content.header[0] == "model"
    assert [row[0] for row in content.cells] == [
        *["local:threads @ 3.13"] * 3,
        *["local:threads @ 3.14"] * 3,
    ]
    assert set(content.figures["models"]) == {"local:threads @ 3.13", "local:threads @ 3.14"}
    assert any(line.startswith("local:threads @ 3.14: ") for line in content.findings)
    names = [chart.name for chart in content.charts]
    assert len(names) == len(set(names))
    for name in ("text", "markdown", "csv", "html", "svg"):
        assert FORMATS[name](comparison)


def test_a_diff_names_interpreters_of_other_versions() -> None:
    other = replace(OLD, version="3.13.7")
    unlike = unlike_versions(COMPARED.environment, with_interpreters(COMPARED, other).environment)
    assert unlike["interpreter 3.13"] == (
        "CPython 3.13.5, GIL on, JIT off",
        "CPython 3.13.7, GIL on, JIT off",
    )
    assert unlike["interpreter 3.13t"][1] == "none"


def test_a_model_that_our_own_python_is_too_old_for_ends_with_code_2(
    producer_in_process: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "INTERPRETERS_SINCE", (9, 0))
    for command in ("run", "compare", "sweep", "scale"):
        answer = producer_in_process(command, "sum", "--stop", "1e3", "--local", "interpreters")
        assert answer.code == 2
        assert "local:interpreters cannot run: it needs Python 9.0, and this is 3." in answer.err
        assert len(answer.err.splitlines()) == 1


def test_a_model_that_cannot_run_here_is_left_out_of_all_models(
    producer_in_process: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "INTERPRETERS_SINCE", (9, 0))
    local = ("--local", "single", "--local", "interpreters")
    answer = producer_in_process("compare", "sum", "--stop", "1e3", *local, "--repeat", "1")
    assert answer.code == 0
    assert "local:interpreters was left out, because it needs Python 9.0" in answer.out
