"""TLS and further machines: ``deploy/compose.tls.yml`` and ``make join``.

The tests share one cluster with TLS: clients that trust its certificate and clients that do not,
and workers of a further machine that find the cluster by its address.
"""

import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from tests.cluster.conftest import IMAGE, Deployment, deploy, docker, free_port
from tests.conftest import Answer, CommandLine

SUM = ("run", "sum", "--stop", "1e6", "--json")


@pytest.fixture(scope="module")
def bridge() -> str:
    """Address of this machine that its containers can reach."""
    return _gateway("bridge")


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory, bridge: str) -> Iterator[Deployment]:
    """A cluster with TLS that other machines can reach, set up as in deploy/README.md."""
    tls = deploy(tmp_path_factory.mktemp("tls"))
    printed = _make_certificates(tls, bridge)
    variables = [line for line in printed if line.startswith(("COMPOSE", "POOLRACE"))]
    (tls.directory / ".env").write_text(
        "POOLRACE_REDIS_PASSWORD=correct-horse\nFLOWER_BASIC_AUTH=user:battery-staple\n"
        f"POOLRACE_REDIS_PORT={free_port()}\nPOOLRACE_FLOWER_PORT={free_port()}\n"
        f"POOLRACE_BIND={bridge}\n"
        + "\n".join(variables)
        + f"\nCELERY_BROKER_URL=rediss://:${{POOLRACE_REDIS_PASSWORD}}@{bridge}"
        ":${POOLRACE_REDIS_PORT}/0\n"
    )
    try:
        started = tls.make("up", "--engine", "docker")
        assert started.code == 0, started.err
        yield tls
    finally:
        tls.make("down", "--engine", "docker")
    assert not tls.leftovers()


@pytest.mark.parametrize("pool", ["prefork", "threads", "gevent", "solo"])
def test_a_client_that_trusts_the_cluster_runs_on_every_pool(
    encrypted: Deployment, pool: str
) -> None:
    assert encrypted.producer(*SUM, "--pool", pool).json()["exact"]


def test_a_client_that_does_not_trust_the_certificate_is_refused(encrypted: Deployment) -> None:
    system_authorities = ssl.get_default_verify_paths().cafile
    assert system_authorities
    for trusted in ("", system_authorities):
        answer = _producer_with(encrypted, POOLRACE_CA_FILE=trusted)
        assert answer.code == 3
        assert "set POOLRACE_CA_FILE to the ca.crt" in answer.err
        assert "correct-horse" not in answer.err


def test_a_certificate_for_another_name_is_refused(encrypted: Deployment) -> None:
    port = encrypted.env()["POOLRACE_REDIS_PORT"]
    other = _gateway(f"{encrypted.project}_cluster")
    answer = _producer_with(
        encrypted, CELERY_BROKER_URL=f"rediss://:correct-horse@{other}:{port}/0"
    )
    assert answer.code == 3


def test_a_client_without_tls_is_refused_and_told_the_right_scheme(
    encrypted: Deployment, bridge: str
) -> None:
    port = encrypted.env()["POOLRACE_REDIS_PORT"]
    answer = _producer_with(
        encrypted, CELERY_BROKER_URL=f"redis://:correct-horse@{bridge}:{port}/0"
    )
    assert answer.code == 3
    assert "speaks TLS; begin its address with rediss://" in answer.err


def test_a_further_machine_takes_part_with_two_pools(encrypted: Deployment, tmp_path: Path) -> None:
    """The file that ``make join`` writes is all that it needs, besides the image."""
    joined = encrypted.make("join", "solo", "threads:1", "--engine", "docker")
    assert joined.code == 0, joined.err
    assert "correct-horse" not in joined.out + joined.err
    assert f"docker save {IMAGE} | ssh left docker load" in joined.out
    file = encrypted.directory / "join.yml"
    assert file.stat().st_mode & 0o077 == 0
    copy = shutil.copy(file, tmp_path)
    compose = ("compose", "--file", str(copy))
    try:
        docker(*compose, "up", "--detach", "--wait")
        run = encrypted.producer("run", "mixed", "--stop", "200", "--pool", "solo", "--json").json()
        status = encrypted.producer("status", "--json").json()
    finally:
        docker(*compose, "down", "--volumes")
    assert run["exact"]
    assert set(run["shares"]) == {"solo-1", socket.gethostname()}
    names = {worker["name"]: worker["slots"] for worker in status["workers"]}
    assert names[f"threads@{socket.gethostname()}"] == 1
    assert not encrypted.leftovers(f"{encrypted.project}-join")


def _producer_with(deployment: Deployment, **variables: str) -> Answer:
    return CommandLine(deployment.directory, variables)(*SUM)


def _make_certificates(deployment: Deployment, *names: str) -> list[str]:
    """Make certificates; returns the lines that the script prints."""
    command = ["deploy/certificates.sh", *names]
    script = subprocess.run(
        command, cwd=deployment.directory, check=True, capture_output=True, text=True
    )
    return script.stdout.splitlines()


def _gateway(network: str) -> str:
    """Address of this machine in a Docker network: the first of the network's range."""
    form = "{{(index .IPAM.Config 0).Subnet}}"
    return str(ip_network(docker("network", "inspect", network, "--format", form))[1])
