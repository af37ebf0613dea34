"""The scripts behind ``make up`` and ``make join``, without an engine."""

import json
import re
import socket
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import compose
import env_file
import published_ports
from join import Broker, join_file, render_steps
from poolrace.producer.executors.models import Model
from poolrace.workers.container_name import name_in
from poolrace.workers.errors import ClusterError, UsageError

ROOT = Path(__file__).parent.parent.parent
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"

ENCRYPTED = Broker("rediss://:s3cret@192.0.2.10:7000/0", CERTIFICATE)


@pytest.fixture(autouse=True)
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory in the place of the clone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(env_file.PROJECT, raising=False)
    for module in (env_file, published_ports):
        monkeypatch.setattr(module, "ENV_FILE", tmp_path / ".env")
    monkeypatch.setattr(env_file, "ROOT", tmp_path)
    return tmp_path


@pytest.fixture
def taken() -> Iterator[int]:
    """A port of the loopback address at which another program listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_the_env_file_names_a_project_that_another_clone_does_not_have(clone: Path) -> None:
    written = env_file.read_env_file()[env_file.PROJECT]
    assert written == env_file.derived_project_name(clone)
    assert written != env_file.derived_project_name(clone / "other")
    assert (clone / ".env").stat().st_mode & 0o077 == 0


def test_the_env_file_keeps_the_project_name_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So that ``docker compose`` and make find the cluster without the variable, too."""
    monkeypatch.setenv(env_file.PROJECT, "mine")
    env_file.read_env_file()
    monkeypatch.delenv(env_file.PROJECT)
    assert env_file.project_name() == "mine"


def test_an_env_file_without_a_project_gets_one_and_keeps_its_lines(clone: Path) -> None:
    old = "# mine\nPOOLRACE_REDIS_PASSWORD=abc\nFLOWER_BASIC_AUTH=a:b"
    (clone / ".env").write_text(old)
    name = env_file.read_env_file()[env_file.PROJECT]
    assert (clone / ".env").read_text() == f"{old}\nCOMPOSE_PROJECT_NAME={name}\n"


def test_a_taken_port_is_replaced_in_the_env_file_and_in_the_address(
    clone: Path, taken: int
) -> None:
    variables = env_file.read_env_file()
    for name in env_file.PORTS:
        env_file.write_variable(name, str(taken))
        variables[name] = str(taken)
    messages = published_ports.replace_taken_ports(variables, own=())
    again = env_file.read_env_file()
    assert len(messages) == 2
    for name in env_file.PORTS:
        assert again[name] == variables[name] != str(taken)
        assert f"port {taken} is taken; .env now has {name}={again[name]}" in messages
    assert again["CELERY_BROKER_URL"].endswith(f":{again['POOLRACE_REDIS_PORT']}/0")


def test_a_port_of_our_own_containers_is_not_replaced(taken: int) -> None:
    variables = {**env_file.read_env_file(), "POOLRACE_REDIS_PORT": str(taken)}
    assert published_ports.replace_taken_ports(variables, own={taken}) == []


@pytest.mark.parametrize("known_by", ["environment", "other machines", "a URL with a number"])
def test_a_taken_port_that_others_know_is_refused(
    known_by: str, clone: Path, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    env_file.read_env_file()
    env_file.write_variable("POOLRACE_REDIS_PORT", str(taken))
    if known_by == "environment":
        monkeypatch.setenv("POOLRACE_REDIS_PORT", str(taken))
    elif known_by == "other machines":
        env_file.write_variable(env_file.BIND, "0.0.0.0")
    else:
        env_file.write_variable("CELERY_BROKER_URL", f"redis://127.0.0.1:{taken}/0")
    before = (clone / ".env").read_text()
    with pytest.raises(UsageError, match=f"port {taken} is taken; give another POOLRACE_REDIS"):
        published_ports.replace_taken_ports(env_file.read_env_file(), own=())
    assert (clone / ".env").read_text() == before


def test_a_port_taken_while_the_containers_start_is_named(
    taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = {**env_file.read_env_file(), "POOLRACE_FLOWER_PORT": str(taken)}
    monkeypatch.setattr(compose, "_compose_code", lambda *_, **__: 1)
    monkeypatch.setattr(compose, "_captured", lambda *_: FailedCommand)
    with pytest.raises(ClusterError, match=f"port {taken} was taken while the cluster started"):
        compose.start(variables)


class FailedCommand:
    """The result of a docker command that found nothing."""

    returncode = 1
    stdout = stderr = ""


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ("172.18.0.2      poolrace-1a2b-prefork-1.poolrace-1a2b_cluster\n", "prefork-1"),
        ("10.89.0.4  770801dd0bc4 poolrace-1a2b-gevent-2\n", "gevent-2"),
        ("172.18.0.2      something-else.network\n", None),
        ("172.18.0.2      poolrace-1a2b-\n", None),
        ("", None),
    ],
)
def test_the_name_of_a_container_is_found_in_an_answer_of_docker_or_podman(
    answer: str, name: str | None
) -> None:
    assert name_in(answer, "poolrace-1a2b-") == name


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_a_cluster_that_listens_on_loopback_cannot_be_joined(host: str) -> None:
    with pytest.raises(UsageError, match="other machines cannot reach"):
        Broker.at(f"redis://:s3cret@{host}:6379/0", None)


def test_a_join_file_has_a_service_for_each_pool_and_nothing_of_this_machine() -> None:
    text = join_file(CONFIG, [Model("celery", "prefork", 8), Model("celery", "gevent")], ENCRYPTED)
    body = json.loads(text[text.index("{") :])
    assert body["name"] == "poolrace-1a2b-join"
    assert set(body["services"]) == {"prefork", "gevent"}
    prefork = body["services"]["prefork"]
    assert prefork["command"][-6:] == [*CONFIG["services"]["prefork"]["command"], "--slots", "8"]
    assert prefork["read_only"] is True
    assert prefork["environment"] == {
        "CELERY_BROKER_URL": ENCRYPTED.url,
        "POOLRACE_HEARTBEAT_FILE": "/tmp/heartbeat",
        "POOLRACE_HOST": "${POOLRACE_HOST:-}",
        "POOLRACE_CA": CERTIFICATE,
        "POOLRACE_CA_FILE": "/tmp/ca.crt",
    }
    for key in ("build", "networks", "volumes", "depends_on", "scale"):
        assert key not in prefork


def test_a_pool_that_is_given_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="prefork is given twice"):
        join_file(CONFIG, [Model("celery", "prefork"), Model("celery", "prefork", 2)], ENCRYPTED)


def test_each_setting_of_flower_can_reach_its_container() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    service = text.partition("\n  flower:\n")[2].partition("\n  # The command line")[0]
    passed_on = set(re.findall(r"^ +FLOWER_([A-Z0-9_]+):", service, re.MULTILINE))
    options = import_module("flower.options")  # it ships no types
    defined = options.default_options.group_dict(options.__file__)
    chosen = {"ADDRESS", "PORT", "UNIX_SOCKET", "TASKS_COLUMNS"}  # by flower_command
    assert passed_on == {name.upper() for name in defined} - chosen
    assert "env_file" not in service


def test_the_steps_name_the_registry_if_the_image_has_one_and_never_the_password() -> None:
    without = Broker("redis://:s3cret@192.0.2.10/0", None)
    steps = render_steps("registry.example/poolrace:1", without)
    assert "docker push registry.example/poolrace:1" in steps
    assert "no TLS" in steps
    assert "--ctorigdstport 6379" in steps
    assert "s3cret" not in steps
    assert "docker save poolrace-1a2b | ssh left docker load" in render_steps(
        "poolrace-1a2b", ENCRYPTED
    )


def _service(pool: str) -> dict[str, Any]:
    return {
        "command": ["python", "-m", "poolrace.workers", pool],
        "environment": {"POOLRACE_HEARTBEAT_FILE": "/tmp/heartbeat", "CELERY_BROKER_URL": "x"},
        "build": {}, "networks": {}, "volumes": [], "depends_on": {}, "scale": 2,
        "image": "poolrace-1a2b", "read_only": True,
    }  # fmt: skip


CONFIG: dict[str, Any] = {
    "name": "poolrace-1a2b",
    "services": {pool: _service(pool) for pool in ("prefork", "gevent")},
}
"""Part of the output of ``docker compose config``."""
