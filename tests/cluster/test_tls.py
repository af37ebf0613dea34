"""TLS and further machines: ``deploy/compose.tls.yml`` and ``make join``.

The tests share one cluster with TLS: clients that trust its certificate and clients that do not,
and workers of a further machine that find the cluster by its address.
"""

import os
import ssl
import subprocess
from collections.abc import Iterator
from ipaddress import ip_network

import pytest

from tests.cluster.conftest import Deployment, deploy, docker, free_port
from tests.conftest import Answer, CommandLine, wait_until

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


def test_a_client_without_tls_is_refused(encrypted: Deployment, bridge: str) -> None:
    port = encrypted.env()["POOLRACE_REDIS_PORT"]
    answer = _producer_with(
        encrypted, CELERY_BROKER_URL=f"redis://:correct-horse@{bridge}:{port}/0"
    )
    assert answer.code == 3


def test_an_additional_host_takes_part_in_a_run(encrypted: Deployment, bridge: str) -> None:
    port = encrypted.env()["POOLRACE_REDIS_PORT"]
    ca_file = encrypted.directory / "deploy" / "certificates" / "ca.crt"
    (encrypted.directory / "deploy" / ".env").write_text(
        f"CELERY_BROKER_URL=rediss://:correct-horse@{bridge}:{port}/0\n"
        f"POOLRACE_POOL=solo\nPOOLRACE_CA_FILE={ca_file}\nPOOLRACE_HOST=second-machine\n"
    )
    additional = Deployment(encrypted.directory, f"poolrace-additional-{os.getpid()}")
    try:
        additional.compose("-f", "deploy/compose.host.yml", "up", "--detach", "--wait")
        run = encrypted.producer("run", "mixed", "--stop", "200", "--pool", "solo", "--json").json()
    finally:
        additional.compose("-f", "deploy/compose.host.yml", "down", "--volumes")
    assert run["exact"]
    assert run["hosts"] == 2
    assert run["shares"]["second-machine"]
    assert not additional.leftovers()
    status = ("status", "--json")
    wait_until(lambda: "second-machine" not in encrypted.producer(*status).out, 30)


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
