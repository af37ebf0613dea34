"""The interpreters of a local cluster: which can start workers, which pools, on which hosts."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from poolrace.producer.cluster import hosts
from poolrace.producer.cluster.config_files import ClusterSpec, cluster_programs
from poolrace.producer.cluster.hosts import assign_hosts, make_library
from poolrace.producer.cluster.lifecycle import temporary, up
from poolrace.producer.cluster.resolve import unusable_pools
from poolrace.producer.cluster.state import Cluster
from poolrace.producer.cluster.text import next_commands, render_started
from poolrace.producer.executors.models import Model, make_executor
from poolrace.producer.experiments.plans import Case, Plan, supported_plan
from poolrace.producer.interpreters import probe
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.schedules import AUTO
from poolrace.producer.settings import Settings
from poolrace.workers import installation
from poolrace.workers.errors import UsageError
from poolrace.workers.protocol import package_version
from poolrace.workers.workloads import make_workload
from tests.environments import WORKER, environment, write_package

POOLS = {"threads": 2, "gevent": 4}


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter with celery[redis] and nothing else."""
    return environment(tmp_path_factory.mktemp("bare") / "environment", WORKER)


def test_each_interpreter_has_a_host_that_is_named_after_it(bare: Path, tmp_path: Path) -> None:
    other = environment(tmp_path / "other", WORKER, "gevent")
    assignment = assign_hosts("here", POOLS, [str(bare), str(other)])
    version = ".".join(map(str, sys.version_info[:3]))
    first, second = assignment.hosts
    assert assignment.hosts == [f"here-{version}-1", f"here-{version}-2"]
    assert assignment.interpreters == {first: str(bare), second: str(other)}
    assert list(assignment.left_out) == [f"gevent@{first}"]


def test_an_interpreter_that_is_given_twice_has_one_host(bare: Path) -> None:
    assignment = assign_hosts("here", {"threads": 1}, [str(bare), str(bare)])
    assert len(assignment.hosts) == 1


def test_a_pool_without_its_package_is_left_out_with_the_command_that_installs_it(
    bare: Path,
) -> None:
    [reason] = assign_hosts("here", POOLS, [str(bare)]).left_out.values()
    assert reason == f"gevent is not installed; install it: {bare} -m pip install gevent"


def test_a_free_threaded_build_has_no_wheel_of_gevent(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interpreter = replace(probe(str(bare)), free_threaded=True)
    monkeypatch.setattr(hosts, "probe_all", lambda _: [interpreter])
    [reason] = assign_hosts("here", POOLS, [str(bare)]).left_out.values()
    assert "no wheels for free-threaded builds" in reason


def test_an_interpreter_that_can_run_no_pool_is_refused(bare: Path) -> None:
    with pytest.raises(UsageError, match="can run none of the pools: gevent"):
        assign_hosts("here", {"gevent": 1}, [str(bare)])


@pytest.mark.parametrize(
    ("packages", "files", "message"),
    [
        ((), {}, "lacks the module celery"),
        (("celery",), {}, "lacks the module redis"),
        ((), {"celery": "import no_such_module"}, "lacks the module no_such_module"),
        (
            (),
            {"celery": "__version__ = '5.7.0'", "redis": "1 / 0"},
            "cannot import redis: ZeroDivisionError",
        ),
        ((), {"celery": "__version__ = '4.4.7'"}, "has Celery 4.4.7, too old"),
        ((), {"celery": "import os; os.abort()"}, "was killed by SIGABRT"),
        ((), {"celery": "import os; os._exit(0)"}, "ended while it imported celery"),
    ],
)
def test_an_interpreter_that_cannot_start_a_worker_is_refused_before_anything_starts(
    packages: tuple[str, ...],
    files: dict[str, str],
    message: str,
    settings: Settings,
    tmp_path: Path,
) -> None:
    python = environment(tmp_path / "environment", *packages)
    for name, text in files.items():
        write_package(python, name, text)
    with pytest.raises(UsageError, match=message) as raised:
        up(settings, POOLS, None, [str(python)])
    assert str(python) in str(raised.value)
    if message.startswith("lacks"):
        assert f"{python} -m pip install 'celery[redis]>=" in str(raised.value)
    assert not settings.state_dir.exists()


def test_a_package_of_the_current_directory_or_of_our_own_python_path_is_not_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The interpreter is checked with the packages that its workers will have."""
    python = environment(tmp_path / "environment")
    (tmp_path / "celery.py").write_text("__version__ = '9.9.9'")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(UsageError, match="lacks the module celery"):
        assign_hosts("here", POOLS, [str(python)])


def test_a_file_of_settings_in_the_current_directory_does_not_disturb_the_check(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("CELERY_BROKER_URL=redis://:x@127.0.0.1:1/0\n")
    monkeypatch.chdir(tmp_path)
    assert assign_hosts("here", {"threads": 1}, [str(bare)]).left_out == {}


def test_the_library_has_this_package_and_its_version_and_nothing_beside_it(
    tmp_path: Path,
) -> None:
    library = make_library(tmp_path)
    program = (
        f"import sys; sys.path.insert(0, {str(library)!r}); import poolrace.workers.chunks;"
        "from importlib.metadata import version; print(version('poolrace'))"
    )
    process = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True
    )
    assert process.stdout.strip() == package_version()
    assert len(list(library.iterdir())) == 2


def test_a_worker_of_another_interpreter_sees_none_of_our_packages(tmp_path: Path) -> None:
    spec = ClusterSpec(
        tmp_path, "redis://:x@127.0.0.1:1/0", POOLS, ["ours", "theirs"], None, 1, durable=True,
        interpreters={"theirs": "/opt/python"}, left_out={"gevent@theirs": "no reason"},
    )  # fmt: skip
    programs = cluster_programs(spec, Path("/usr/bin/redis-server"))
    assert sorted(programs) == ["redis", "worker-gevent-1", "worker-threads-1", "worker-threads-2"]
    ours, theirs = programs["worker-threads-1"], programs["worker-threads-2"]
    assert (ours.command[0], theirs.command[0]) == (sys.executable, "/opt/python")
    assert "PYTHONPATH" not in ours.variables
    assert theirs.variables == {
        "POOLRACE_HOST": "theirs", "PYTHONPATH": str(tmp_path / "library"), "PYTHONHOME": "",
    }  # fmt: skip


def test_a_cluster_expects_no_worker_that_is_left_out() -> None:
    cluster = Cluster(
        "/x", 0, 0.0, "redis://", POOLS, None, None, hosts=2, left_out={"gevent@b": "no reason"}
    )
    assert cluster.workers == {"threads": 2, "gevent": 1}


def test_the_next_commands_name_only_pools_that_run() -> None:
    cluster = Cluster("/x", 0, 0.0, "redis://", {"prefork": 2, "solo": 1}, None, None)
    text = render_started(cluster)
    assert " run sum --pool prefork\n" in text
    assert "gevent" not in text
    assert " run mixed --pool gevent\n" in next_commands("down")


@pytest.fixture
def without_gevent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide gevent from this interpreter."""
    monkeypatch.setattr(installation, "find_spec", lambda name: None if name == "gevent" else name)


@pytest.mark.usefixtures("without_gevent")
def test_without_gevent_the_other_pools_start() -> None:
    assignment = assign_hosts("here", POOLS, ())
    assert assignment.hosts == ["here"]
    assert assignment.left_out.keys() == {"gevent@here"}


@pytest.mark.usefixtures("without_gevent")
def test_a_temporary_cluster_of_a_pool_without_its_package_is_refused(settings: Settings) -> None:
    with (
        pytest.raises(UsageError, match="pool gevent: gevent is not installed"),
        temporary(settings, POOLS),
    ):
        pass


@pytest.mark.usefixtures("without_gevent")
def test_a_comparison_leaves_out_the_models_that_need_gevent(settings: Settings) -> None:
    job = Job(make_workload("sum", {}), 0, 10)
    models = [Model("local", "greenlets"), Model("celery", "gevent"), Model("celery", "solo")]
    plan = Plan(job, [Case(model, AUTO) for model in models])
    plan = supported_plan(plan, unusable_pools=unusable_pools(settings, plan.pools()))
    assert [str(case.model) for case in plan.cases] == ["celery:solo"]
    assert plan.left_out.keys() == {"local:greenlets", "celery:gevent"}
    assert all("gevent is not installed" in why for why in plan.left_out.values())


@pytest.mark.usefixtures("without_gevent")
def test_workers_of_a_cluster_that_exists_may_have_gevent(settings: Settings) -> None:
    elsewhere = replace(settings, broker_url="redis://:x@192.0.2.1:6379/0")
    assert unusable_pools(elsewhere, ["gevent"]) == {}


@pytest.mark.usefixtures("without_gevent")
def test_the_model_greenlets_names_the_package_that_it_needs(settings: Settings) -> None:
    job = Job(make_workload("sum", {}), 0, 10)
    with pytest.raises(UsageError, match="greenlets cannot run: it needs gevent"):
        make_executor(Model("local", "greenlets"), job, settings)
