"""``make up`` and ``make down`` in a fresh checkout: refusals, failures, other engines, data."""

import shutil
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cluster.conftest import ONE_WORKER, Deployment, docker


def test_up_with_a_port_that_is_taken_names_the_port_and_starts_nothing(
    checkout: Deployment,
) -> None:
    """Another port would be wrong: the user gave this one in the environment."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        answer = checkout.make("up", "--engine", "docker", POOLRACE_FLOWER_PORT=port)
    assert answer.code == 2
    assert answer.err.strip().splitlines()[-1] == (
        f"make: port {port} is taken; give another POOLRACE_FLOWER_PORT"
    )
    assert not checkout.leftovers()


def test_a_second_clone_has_a_cluster_of_its_own(
    deployment: Deployment, checkout: Deployment
) -> None:
    """Its ports are taken by the first clone. Its name is given, and the printed commands keep it:
    without the name, make would mean another cluster of the same clone."""
    name = {"COMPOSE_PROJECT_NAME": f"{checkout.project}-named", **ONE_WORKER}
    first = deployment.containers("redis") + deployment.containers("gevent")
    lines = (deployment.directory / ".env").read_text().splitlines(keepends=True)
    copied = [line for line in lines if not line.startswith("COMPOSE_PROJECT_NAME")]
    (checkout.directory / ".env").write_text("".join(copied))
    checkout.append_to_env(COMPOSE_PROJECT_NAME=checkout.project)
    up = checkout.make("up", "--engine", "docker", **name)
    try:
        assert up.code == 0, up.err
        for variable in ("POOLRACE_REDIS_PORT", "POOLRACE_FLOWER_PORT"):
            port = deployment.env()[variable]
            assert f"port {port} is taken; .env now has {variable}=" in up.err
        assert checkout.producer("run", "sum", "--stop", "1e5", "--pool", "solo").code == 0
        assert f"COMPOSE_PROJECT_NAME={checkout.project}-named make down" in up.out
        unnamed = checkout.make("down", "--engine", "docker")
        assert unnamed.out == f"no cluster {checkout.project} was running\n"
        assert "solo-1 " in checkout.make("ps", "--engine", "docker", **name).out
    finally:
        down = checkout.make("down", "--engine", "docker", **name)
    assert down.out == "the cluster is stopped\n"
    assert not checkout.leftovers(name["COMPOSE_PROJECT_NAME"])
    assert deployment.containers("redis") + deployment.containers("gevent") == first
    assert deployment.producer("run", "sum", "--stop", "1e5", "--pool", "gevent").code == 0


@pytest.mark.parametrize("target", [("up",), ("down",), ("ps",), ("logs",), ("scale", "solo", "3")])
def test_a_copied_clone_does_not_touch_the_cluster_of_its_original(
    target: tuple[str, ...], deployment: Deployment, checkout: Deployment
) -> None:
    """The copy has the same ``.env``, with the name of the cluster."""
    shutil.copy(deployment.directory / ".env", checkout.directory)
    containers = deployment.containers("solo")
    answer = checkout.make(*target, "--engine", "docker")
    assert answer.code == 2
    assert f"the cluster {deployment.project} belongs to {deployment.directory}" in answer.err
    assert "remove .env" in answer.err
    assert deployment.containers("solo") == containers


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("FLOWER_BASIC_AUTH=a:b\n", "lacks POOLRACE_REDIS_PASSWORD"),
        ("POOLRACE_REDIS_PASSWORD=abc\nFLOWER_BASIC_AUTH=ab\n", "FLOWER_BASIC_AUTH"),
        ("POOLRACE_REDIS_PASSWORD=a/c\nFLOWER_BASIC_AUTH=a:b\n", "a meaning in URLs"),
        (
            "POOLRACE_REDIS_PASSWORD=abc\nFLOWER_BASIC_AUTH=a:b\nPOOLRACE_REDIS_PORT=x\n",
            "POOLRACE_REDIS_PORT=x, which is not a port",
        ),
        (
            "POOLRACE_REDIS_PASSWORD=abc\nFLOWER_BASIC_AUTH=a:b\nCELERY_BROKER_URL=http://x\n",
            "'http://x' is not a Redis address",
        ),
    ],
)
def test_up_with_an_invalid_env_file_names_the_problem_in_one_line(
    checkout: Deployment, text: str, problem: str
) -> None:
    (checkout.directory / ".env").write_text(text)
    answer = checkout.make("up", "--engine", "docker")
    assert answer.code == 2
    assert problem in answer.err
    assert len(answer.err.strip().splitlines()) == 1
    assert not checkout.leftovers()


def test_up_with_an_image_that_does_not_build_starts_nothing(checkout: Deployment) -> None:
    (checkout.directory / "pyproject.toml").write_text("not TOML")
    answer = checkout.make("up", "--engine", "docker", POOLRACE_IMAGE="poolrace-broken")
    assert answer.code == 1
    assert answer.err.strip().splitlines()[-1] == (
        "make: the image cannot be built, see above; no container was started"
    )
    assert not checkout.leftovers()


def test_up_removes_a_cluster_that_does_not_become_healthy(checkout: Deployment) -> None:
    (checkout.directory / "deploy" / "redis.conf").write_text("nonsense yes\n")
    answer = checkout.make("up", "--engine", "docker")
    assert answer.code == 3
    assert "redis-1" in answer.err.split("did not become healthy")[1]
    assert not checkout.leftovers()


def test_up_without_an_engine_suggests_the_local_cluster(
    checkout: Deployment, tmp_path: Path
) -> None:
    no_engine = f"unix://{tmp_path}/docker.sock"
    forced = checkout.make("up", "--engine", "docker", DOCKER_HOST=no_engine)
    assert forced.code == 3
    assert "no Docker engine answers" in forced.err
    assert "make up ENGINE=local" in forced.err
    assert not checkout.leftovers()


@pytest.mark.parametrize("engine", ["docker", ""])
def test_up_without_permission_for_the_engine_suggests_the_docker_group(
    engine: str, checkout: Deployment, tmp_path: Path
) -> None:
    """Also without ENGINE: the local cluster must not silently replace an engine that runs."""
    closed = tmp_path / "docker.sock"
    user = replace(checkout, before=("setpriv", "--bounding-set", "-dac_override"))
    with socket.socket(socket.AF_UNIX) as engine_of_root:
        engine_of_root.bind(str(closed))
        engine_of_root.listen()
        closed.chmod(0)
        answer = user.make("up", "--engine", engine, DOCKER_HOST=f"unix://{closed}")
    assert answer.code == 3
    assert "no permission to use the Docker engine" in answer.err
    assert "usermod -aG docker" in answer.err
    assert not checkout.leftovers()


def test_without_an_engine_the_local_cluster_accepts_the_same_commands(
    checkout: Deployment, tmp_path: Path
) -> None:
    no_engine = {"DOCKER_HOST": f"unix://{tmp_path}/docker.sock"}
    up = checkout.make("up", **no_engine)
    try:
        assert up.code == 0, up.err
        assert "no Docker engine is used: starting the local cluster" in up.err
        run = checkout.producer("run", "sum", "--stop", "1e6", "--pool", "gevent", "--json")
        assert run.json()["exact"]
        assert "gevent@" in checkout.make("ps", **no_engine).out
        for target in (("scale", "gevent", "4"), ("logs",)):
            refused = checkout.make(target[0], *target[1:], **no_engine)
            assert refused.code == 2
            assert "the local cluster is one host" in refused.err
    finally:
        down = checkout.make("down", **no_engine)
    assert down.code == 0
    assert not (checkout.directory / ".poolrace").exists()


def test_down_with_keep_data_keeps_the_data_of_redis(checkout: Deployment) -> None:
    assert checkout.make("up", "--engine", "docker", **ONE_WORKER).code == 0
    container = checkout.containers("redis")[0]
    write = "REDISCLI_AUTH=$POOLRACE_REDIS_PASSWORD redis-cli set kept yes"
    docker("exec", container, "sh", "-c", write)
    kept = checkout.make("down", "--engine", "docker", "--keep-data")
    assert kept.code == 0
    assert set(checkout.leftovers()) == {"volumes"}
    assert checkout.make("up", "--engine", "docker", **ONE_WORKER).code == 0
    container = checkout.containers("redis")[0]
    read = "REDISCLI_AUTH=$POOLRACE_REDIS_PASSWORD redis-cli get kept"
    assert docker("exec", container, "sh", "-c", read) == "yes"
