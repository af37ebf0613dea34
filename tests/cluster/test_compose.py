"""``make up`` with an engine: what a user types, and what a suspicious one looks at."""

import json
import re
import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest

from poolrace.producer.broker.client import connect
from poolrace.producer.broker.workers import announcements
from poolrace.workers.pools import POOLS
from tests.cluster.conftest import (
    IMAGE,
    Deployment,
    docker,
    free_port,
    inspected,
    wait_until,
)

WORKERS = (*POOLS, "flower")


def test_up_starts_two_hosts_of_each_pool_and_says_what_to_type(deployment: Deployment) -> None:
    again = deployment.make("up", "--engine", "docker")
    assert again.code == 0, again.err
    assert "prefork (2), threads (2), gevent (2), solo (1)" in again.out
    env = deployment.env()
    assert f"http://127.0.0.1:{env['POOLRACE_FLOWER_PORT']}" in again.out
    assert env["FLOWER_BASIC_AUTH"] in again.out
    assert "run sum --pool prefork" in again.out
    assert (deployment.directory / ".env").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("pool", POOLS)
def test_every_pool_computes_from_the_host_and_tells_hosts_and_shares(
    deployment: Deployment, pool: str
) -> None:
    run = deployment.producer("run", "mixed", "--stop", "60", "--pool", pool, "--json").json()
    hosts = {container[:12] for container in deployment.containers(pool)}
    assert run["exact"]
    assert run["hosts"] == len(hosts)
    assert run["machines"] == 1
    assert set(run["shares"]) <= hosts
    if pool != "gevent":  # 200 slots for 60 chunks: one host may have been quick enough
        assert set(run["shares"]) == hosts
    counted = [share for slots in run["shares"].values() for share in slots.values()]
    assert sum(share["indices"] for share in counted) == 60
    assert {(record["host"], record["slot"]) for record in run["records"]} == {
        (host, slot) for host, slots in run["shares"].items() for slot in slots
    }


def test_a_run_in_words_names_hosts_slots_and_their_chunks(deployment: Deployment) -> None:
    text = deployment.producer("run", "sum", "--stop", "1e6", "--pool", "prefork").out
    for container in deployment.containers("prefork"):
        assert f"{container[:12]}: " in text
    assert "2 host(s) on 1 machine(s), whose cores they share" in text
    assert " slot " in text


def test_the_producer_runs_in_a_container_too_and_shows_no_password(
    deployment: Deployment,
) -> None:
    out = deployment.compose("run", "--rm", "-T", "producer", "run", "sum", "--stop", "1e6")
    assert "499999500000, exact" in out
    assert deployment.env()["POOLRACE_REDIS_PASSWORD"] not in out


def test_scale_starts_and_stops_hosts_of_one_pool(deployment: Deployment) -> None:
    others = deployment.containers("prefork")
    for number in (3, 2):
        answer = deployment.make("scale", "threads", str(number), "--engine", "docker")
        assert answer.code == 0, answer.err
        assert len(deployment.containers("threads")) == number
    assert deployment.containers("prefork") == others


def test_a_host_that_joins_a_run_gets_work_at_once(deployment: Deployment) -> None:
    with deployment.running(
        "run", "mixed", "--stop", "1500", "--pool", "solo", "--json"
    ) as command:
        deployment.make("scale", "solo", "2", "--engine", "docker")
        out, _ = command.communicate(timeout=60)
    deployment.make("scale", "solo", "1", "--engine", "docker")
    run = json.loads(out)
    assert run["exact"]
    [joined] = [event for event in run["events"] if "joined with 1 slot(s)" in event["what"]]
    newcomer = joined["what"].split("@")[1].split()[0]
    first = min(r["arrived_s"] - r["duration_s"] for r in run["records"] if r["host"] == newcomer)
    assert first < joined["at_s"] + 2.5  # at most what the first chunk of the other takes
    assert len(run["shares"]) == 2


def test_ps_and_logs_show_the_containers_and_no_secret(deployment: Deployment) -> None:
    listed = deployment.make("ps", "--engine", "docker").out
    for container in deployment.containers("gevent"):
        assert container[:12] in listed
    logged = deployment.make("logs", "--engine", "docker").out
    assert "gevent@" in logged
    for name in ("POOLRACE_REDIS_PASSWORD", "FLOWER_BASIC_AUTH"):
        assert deployment.env()[name] not in logged
        assert deployment.env()[name].split(":")[-1] not in logged
    assert "ready" in deployment.make("logs", "solo", "--engine", "docker").out


@pytest.mark.parametrize("service", [*WORKERS, "redis"])
def test_a_container_has_no_privilege_and_no_secret_on_its_command_line(
    deployment: Deployment, service: str
) -> None:
    container = deployment.containers(service)[0]
    told = inspected(container)
    host = told["HostConfig"]
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert host["ReadonlyRootfs"]
    assert not host["Privileged"]
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert told["State"]["Health"]["Status"] == "healthy"
    assert docker("exec", container, "id", "-u") != "0"
    status = docker("exec", container, "cat", "/proc/1/status")
    for line in status.splitlines():
        if line.startswith(("CapEff", "CapPrm", "CapBnd")):
            assert int(line.split()[1], 16) == 0
    processes = docker("top", container, "-o", "pid,args")
    for secret in _secrets(deployment):
        assert secret not in processes
        assert secret not in json.dumps([told["Path"], told["Args"], told["Config"]["Cmd"]])


def test_ports_are_open_on_loopback_only(deployment: Deployment) -> None:
    opened = {}
    for service in (*WORKERS, "redis"):
        for container in deployment.containers(service):
            for port, bound in inspected(container)["NetworkSettings"]["Ports"].items():
                opened[service, port] = {place["HostIp"] for place in bound or ()}
    assert opened == {("redis", "6379/tcp"): {"127.0.0.1"}, ("flower", "5555/tcp"): {"127.0.0.1"}}


def test_redis_wants_a_password(deployment: Deployment) -> None:
    port = deployment.env()["POOLRACE_REDIS_PORT"]
    for url in (f"redis://127.0.0.1:{port}/0", f"redis://:wrong@127.0.0.1:{port}/0"):
        answer = deployment.producer("status", "--broker", url)
        assert answer.code == 3
        assert "password" in answer.err.lower() or "authentication" in answer.err.lower()


def test_the_image_holds_no_secret_no_compiler_and_little_else(deployment: Deployment) -> None:
    history = docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", IMAGE)
    config = docker("inspect", "--format", "{{json .Config}}", IMAGE)
    for secret in _secrets(deployment):
        assert secret not in history + config
    assert json.loads(config)["User"] == "10001:10001"
    assert json.loads(config)["StopSignal"] == "SIGTERM"
    search = (
        "for it in gcc cc g++ clang ld as make; do command -v $it; done;"
        " find / -xdev \\( -name .env -o -name '*.key' \\) -path '*poolrace*' 2>/dev/null; true"
    )
    assert docker("run", "--rm", IMAGE, "sh", "-c", search) == ""
    base = docker("inspect", "--format", "{{.Size}}", _base_image(deployment))
    added = int(docker("inspect", "--format", "{{.Size}}", IMAGE)) - int(base)
    assert added < 200e6  # of it NumPy is a third


def test_a_busy_gevent_or_solo_host_stays_healthy(deployment: Deployment) -> None:
    hosts = [*deployment.containers("gevent"), *deployment.containers("solo")]
    began = time.monotonic()
    one_chunk = ("run", "sum", "--stop", "8e8", "--chunks", "1", "--pool")
    with (
        deployment.running(*one_chunk, "gevent") as gevent,
        deployment.running(*one_chunk, "solo") as solo,
    ):
        while gevent.poll() is None or solo.poll() is None:
            assert {deployment.health(host) for host in hosts} == {"healthy"}
            time.sleep(0.5)  # a look now and then: there is nothing to wait for but the end
    assert time.monotonic() - began > 15  # longer than a check allows for
    assert (gevent.returncode, solo.returncode) == (0, 0)


def test_a_stopped_worker_is_unhealthy_and_a_dead_one_starts_again(deployment: Deployment) -> None:
    [solo] = deployment.containers("solo")
    pid = deployment.producer("status", "--json").json()
    [number] = [worker["pid"] for worker in pid["workers"] if worker["pool"] == "solo"]
    docker("exec", solo, "sh", "-c", f"kill -STOP {number}")
    wait_until(lambda: deployment.health(solo) == "unhealthy", 60)
    docker("exec", solo, "sh", "-c", f"kill -CONT {number}")
    wait_until(lambda: deployment.health(solo) == "healthy", 60)
    docker("exec", solo, "sh", "-c", f"kill -KILL {number}")
    wait_until(lambda: inspected(solo)["RestartCount"] == 1, 60)
    wait_until(lambda: deployment.health(solo) == "healthy", 60)
    assert deployment.producer("run", "sum", "--stop", "1e5", "--pool", "solo").code == 0


def test_a_host_that_is_stopped_ends_its_chunks_first(deployment: Deployment) -> None:
    first, second = deployment.containers("threads")
    with deployment.running(
        *("run", "mixed", "--stop", "400", "--cpu-s", "0", "--wait-s", "0.1"),
        *("--chunks", "8", "--pool", "threads", "--json"),
    ) as command:
        wait_until(lambda: len(_held(deployment, first, indices=50)) == 2, 30)
        docker("stop", "--time", "60", first)
        code = inspected(first)["State"]["ExitCode"]
        docker("start", first)
        out, _ = command.communicate(timeout=90)
    wait_until(lambda: deployment.health(first) == "healthy", 60)
    run = json.loads(out)
    assert code == 0
    assert run["exact"]
    assert run["duplicates"] == 0
    assert sum(share["chunks"] for share in run["shares"][first[:12]].values()) >= 2
    assert any(f"threads@{first[:12]} left" in event["what"] for event in run["events"])
    assert second[:12] in run["shares"]


def test_an_occupied_port_is_named_and_nothing_is_started(checkout: Deployment) -> None:
    redis_port, flower_port = free_port(), free_port()
    (checkout.directory / ".env").write_text(
        f"POOLRACE_REDIS_PASSWORD=abc\nFLOWER_BASIC_AUTH=a:b\nPOOLRACE_REDIS_PORT={redis_port}\n"
        f"POOLRACE_FLOWER_PORT={flower_port}\n"
    )
    with socket.socket() as other:
        other.bind(("127.0.0.1", flower_port))
        other.listen()
        answer = checkout.make("up", "--engine", "docker")
    assert answer.code == 2
    assert answer.err.strip().splitlines()[-1] == (
        f"make: port {flower_port} is taken; write another POOLRACE_FLOWER_PORT into .env"
    )
    assert not checkout.leftovers()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("FLOWER_BASIC_AUTH=a:b\n", "lacks POOLRACE_REDIS_PASSWORD"),
        ("POOLRACE_REDIS_PASSWORD=abc\nFLOWER_BASIC_AUTH=ab\n", "FLOWER_BASIC_AUTH"),
        ("POOLRACE_REDIS_PASSWORD=a/c\nFLOWER_BASIC_AUTH=a:b\n", "a meaning in URLs"),
        (
            "POOLRACE_REDIS_PASSWORD=abc\nFLOWER_BASIC_AUTH=a:b\nPOOLRACE_REDIS_PORT=x\n",
            "POOLRACE_REDIS_PORT=x, which is no port",
        ),
        (
            "POOLRACE_REDIS_PASSWORD=abc\nFLOWER_BASIC_AUTH=a:b\nCELERY_BROKER_URL=http://x\n",
            "'http://x' is not a Redis address",
        ),
    ],
)
def test_a_wrong_env_file_is_refused_in_a_line(
    checkout: Deployment, text: str, complaint: str
) -> None:
    (checkout.directory / ".env").write_text(text)
    answer = checkout.make("up", "--engine", "docker")
    assert answer.code == 2
    assert complaint in answer.err
    assert len(answer.err.strip().splitlines()) == 1
    assert not checkout.leftovers()


def test_an_image_that_does_not_build_starts_nothing(checkout: Deployment) -> None:
    (checkout.directory / "pyproject.toml").write_text("not TOML")
    answer = checkout.make("up", "--engine", "docker", POOLRACE_IMAGE="poolrace-broken")
    assert answer.code == 1
    assert answer.err.strip().splitlines()[-1] == (
        "make: the image does not build, see above; nothing was started"
    )
    assert not checkout.leftovers()


def test_a_cluster_that_does_not_become_healthy_is_taken_down(checkout: Deployment) -> None:
    (checkout.directory / "deploy" / "redis.conf").write_text("nonsense yes\n")
    answer = checkout.make("up", "--engine", "docker")
    assert answer.code == 3
    assert "redis-1" in answer.err.split("did not become healthy")[1]
    assert not checkout.leftovers()


def test_without_an_engine_the_way_out_is_named(checkout: Deployment, tmp_path: Path) -> None:
    nowhere = f"unix://{tmp_path}/docker.sock"
    forced = checkout.make("up", "--engine", "docker", DOCKER_HOST=nowhere)
    assert forced.code == 3
    assert "no Docker engine answers" in forced.err
    assert "make up ENGINE=local" in forced.err
    assert not checkout.leftovers()


@pytest.mark.parametrize("engine", ["docker", ""])
def test_without_permission_for_the_engine_the_way_out_is_named(
    engine: str, checkout: Deployment, tmp_path: Path
) -> None:
    """An engine is there, so the local cluster does not take its place in silence."""
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


def test_without_an_engine_the_local_cluster_serves_the_same_commands(
    checkout: Deployment, tmp_path: Path
) -> None:
    nowhere = {"DOCKER_HOST": f"unix://{tmp_path}/docker.sock"}
    up = checkout.make("up", **nowhere)
    try:
        assert up.code == 0, up.err
        assert "no Docker engine is used: starting the local cluster" in up.err
        run = checkout.producer("run", "sum", "--stop", "1e6", "--pool", "gevent", "--json")
        assert run.json()["exact"]
        assert "gevent@" in checkout.make("ps", **nowhere).out
        for target in (("scale", "gevent", "4"), ("logs",)):
            refused = checkout.make(target[0], *target[1:], **nowhere)
            assert refused.code == 2
            assert "the local cluster is one host" in refused.err
    finally:
        down = checkout.make("down", **nowhere)
    assert down.code == 0
    assert not (checkout.directory / ".poolrace").exists()


def test_data_is_kept_if_asked_to(checkout: Deployment) -> None:
    assert checkout.make("up", "--engine", "docker").code == 0
    container = checkout.containers("redis")[0]
    write = "REDISCLI_AUTH=$POOLRACE_REDIS_PASSWORD redis-cli set kept yes"
    docker("exec", container, "sh", "-c", write)
    kept = checkout.make("down", "--engine", "docker", "--keep-data")
    assert kept.code == 0
    assert set(checkout.leftovers()) == {"volumes"}
    assert checkout.make("up", "--engine", "docker").code == 0
    container = checkout.containers("redis")[0]
    read = "REDISCLI_AUTH=$POOLRACE_REDIS_PASSWORD redis-cli get kept"
    assert docker("exec", container, "sh", "-c", read) == "yes"


def _held(deployment: Deployment, container: str, indices: int) -> set[str]:
    """The chunks of so many indices that the worker in that container says it holds."""
    with connect(deployment.broker_url()) as client:
        told = [
            sign.holds
            for sign in announcements(client)
            if sign.presence.host.host == container[:12]
        ]
    ranges = [re.search(r"\.(\d+)-(\d+)$", task_id) for holds in told for task_id in holds]
    return {it[0] for it in ranges if it and int(it[2]) - int(it[1]) == indices}


def _secrets(deployment: Deployment) -> list[str]:
    env = deployment.env()
    return [env["POOLRACE_REDIS_PASSWORD"], env["FLOWER_BASIC_AUTH"].split(":")[1]]


def _base_image(deployment: Deployment) -> str:
    told = json.loads(deployment.compose("config", "--format", "json"))
    base: str = told["services"]["solo"]["build"]["args"]["PYTHON_IMAGE"]
    return base
