"""Security of the containers: privileges, open ports, passwords, the content of the image."""

import json
import subprocess
from importlib.metadata import version

import pytest

from poolrace.producer.environment import commit_of
from poolrace.workers.pools import POOLS
from tests.cluster.conftest import IMAGE, Deployment, docker, inspected

CLIENTS = (*POOLS, "flower")
"""Services that talk to Redis."""

_COMMIT = (
    ("git", "init", "--quiet"),
    ("git", "add", "--all"),
    ("git", "-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "--quiet",
     "--message", "Add everything"),
)  # fmt: skip
"""Commands that make a directory a git repository with one commit."""


@pytest.mark.parametrize("service", [*CLIENTS, "redis"])
def test_a_container_has_no_privilege_and_no_password_on_its_command_line(
    deployment: Deployment, service: str
) -> None:
    container = deployment.containers(service)[0]
    description = inspected(container)
    host = description["HostConfig"]
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert host["ReadonlyRootfs"]
    assert not host["Privileged"]
    assert host["Memory"] == (1 if service == "redis" else 4) * 1024**3
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert description["State"]["Health"]["Status"] == "healthy"
    assert docker("exec", container, "id", "-u") != "0"
    status = docker("exec", container, "cat", "/proc/1/status")
    for line in status.splitlines():
        if line.startswith(("CapEff", "CapPrm", "CapBnd")):
            assert int(line.split()[1], 16) == 0
    command_line = [description["Path"], description["Args"], description["Config"]["Cmd"]]
    processes = docker("top", container, "-o", "pid,args")
    for secret in _secrets(deployment):
        assert secret not in processes
        assert secret not in json.dumps(command_line)


def test_ports_are_published_on_loopback_only(deployment: Deployment) -> None:
    published = {}
    for service in (*CLIENTS, "redis"):
        for container in deployment.containers(service):
            for port, bound in inspected(container)["NetworkSettings"]["Ports"].items():
                published[service, port] = {binding["HostIp"] for binding in bound or ()}
    assert published == {
        ("redis", "6379/tcp"): {"127.0.0.1"},
        ("flower", "5555/tcp"): {"127.0.0.1"},
    }


def test_redis_requires_the_password(deployment: Deployment) -> None:
    port = deployment.env()["POOLRACE_REDIS_PORT"]
    for url in (f"redis://127.0.0.1:{port}/0", f"redis://:wrong@127.0.0.1:{port}/0"):
        answer = deployment.producer("status", "--broker", url)
        assert answer.code == 3
        assert "password" in answer.err.lower() or "authentication" in answer.err.lower()


def test_a_full_redis_refuses_writes_before_its_container_is_killed(
    deployment: Deployment,
) -> None:
    [redis] = deployment.containers("redis")
    read = "REDISCLI_AUTH=$POOLRACE_REDIS_PASSWORD redis-cli config get maxmemory"
    assert docker("exec", redis, "sh", "-c", read).split() == ["maxmemory", str(3 * 1024**3 // 4)]


@pytest.mark.parametrize("has_commit", [True, False])
def test_the_image_is_labelled_with_its_version_and_commit(
    has_commit: bool, checkout: Deployment
) -> None:
    """Without a commit, as in an sdist, with the version alone."""
    image = checkout.project
    for command in _COMMIT if has_commit else ():
        subprocess.run(command, cwd=checkout.directory, check=True)
    assert checkout.make("build", "--engine", "docker", POOLRACE_IMAGE=image).code == 0
    labels = json.loads(docker("inspect", "--format", "{{json .Config.Labels}}", image))
    docker("image", "rm", image)
    assert labels["org.opencontainers.image.version"] == version("poolrace")
    assert labels["org.opencontainers.image.revision"] == (commit_of(checkout.directory) or "")
    assert bool(commit_of(checkout.directory)) == has_commit


def test_the_image_is_small_and_has_no_secret_and_no_compiler(deployment: Deployment) -> None:
    history = docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", IMAGE)
    config = docker("inspect", "--format", "{{json .Config}}", IMAGE)
    for secret in _secrets(deployment):
        assert secret not in history + config
    assert json.loads(config)["User"] == "10001:10001"
    assert json.loads(config)["StopSignal"] == "SIGTERM"
    search = (
        "for tool in gcc cc g++ clang ld as make; do command -v $tool; done;"
        " find / -xdev \\( -name .env -o -name '*.key' \\) -path '*poolrace*' 2>/dev/null; true"
    )
    assert docker("run", "--rm", IMAGE, "sh", "-c", search) == ""
    base = docker("inspect", "--format", "{{.Size}}", _base_image(deployment))
    added = int(docker("inspect", "--format", "{{.Size}}", IMAGE)) - int(base)
    assert added < 200e6  # NumPy is a third of it


def _secrets(deployment: Deployment) -> list[str]:
    env = deployment.env()
    return [env["POOLRACE_REDIS_PASSWORD"], env["FLOWER_BASIC_AUTH"].split(":")[1]]


def _base_image(deployment: Deployment) -> str:
    config = json.loads(deployment.compose("config", "--format", "json"))
    base: str = config["services"]["solo"]["build"]["args"]["PYTHON_IMAGE"]
    return base
