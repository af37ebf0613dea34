"""The cluster in containers, as ``make up`` starts it: runs, hosts, scaling, health."""

import json
import re
import time

import pytest

from poolrace.producer.broker.client import connect
from poolrace.producer.broker.workers import announcements
from poolrace.workers.pools import POOLS
from tests.cluster.conftest import Deployment, docker, inspected, wait_until


def test_up_starts_two_hosts_of_each_pool_and_prints_the_next_commands(
    deployment: Deployment,
) -> None:
    again = deployment.make("up", "--engine", "docker")
    assert again.code == 0, again.err
    assert "prefork (2), threads (2), gevent (2), solo (1)" in again.out
    env = deployment.env()
    assert f"http://127.0.0.1:{env['POOLRACE_FLOWER_PORT']}" in again.out
    assert env["FLOWER_BASIC_AUTH"] in again.out
    assert "run sum --pool prefork" in again.out
    assert (deployment.directory / ".env").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("pool", POOLS)
def test_a_run_on_any_pool_reports_its_hosts_and_the_share_of_each(
    deployment: Deployment, pool: str
) -> None:
    run = deployment.producer("run", "mixed", "--stop", "60", "--pool", pool, "--json").json()
    hosts = {deployment.host(container) for container in deployment.containers(pool)}
    assert run["exact"]
    assert run["hosts"] == len(hosts)
    assert run["machines"] == 1
    assert set(run["shares"]) <= hosts
    if pool != "gevent":  # with 200 slots for 60 chunks, one host may compute them all
        assert set(run["shares"]) == hosts
    counted = [share for slots in run["shares"].values() for share in slots.values()]
    assert sum(share["indices"] for share in counted) == 60
    assert {(record["host"], record["slot"]) for record in run["records"]} == {
        (host, slot) for host, slots in run["shares"].items() for slot in slots
    }


def test_the_text_of_a_run_lists_chunks_by_host_and_slot(deployment: Deployment) -> None:
    text = deployment.producer("run", "sum", "--stop", "1e6", "--pool", "prefork").out
    for container in deployment.containers("prefork"):
        assert f"{deployment.host(container)}: " in text
    assert "2 host(s) on 1 machine(s), whose cores they share" in text
    assert " slot " in text


def test_the_producer_runs_in_a_container_and_prints_no_password(
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


def test_a_host_that_joins_during_a_run_gets_chunks_at_once(deployment: Deployment) -> None:
    with deployment.running(
        "run", "mixed", "--stop", "1500", "--pool", "solo", "--json"
    ) as command:
        deployment.make("scale", "solo", "2", "--engine", "docker")
        out, _ = command.communicate(timeout=60)
    deployment.make("scale", "solo", "1", "--engine", "docker")
    run = json.loads(out)
    assert run["exact"]
    [joined] = [event for event in run["events"] if "joined with 1 slot(s)" in event["what"]]
    new_host = joined["what"].split("@")[1].split()[0]
    first = min(r["arrived_s"] - r["duration_s"] for r in run["records"] if r["host"] == new_host)
    assert first < joined["at_s"] + 2.5  # at most the duration of the other host's first chunk
    assert len(run["shares"]) == 2


def test_ps_and_logs_list_the_containers_and_no_password(deployment: Deployment) -> None:
    listed = deployment.make("ps", "--engine", "docker").out
    assert "\nredis-1 " in listed
    for container in deployment.containers("gevent"):
        assert f"\n{deployment.host(container)} " in listed
    logged = deployment.make("logs", "--engine", "docker").out
    assert "\x1b" not in logged
    assert "superuser" not in logged
    assert "gevent@" in logged
    for name in ("POOLRACE_REDIS_PASSWORD", "FLOWER_BASIC_AUTH"):
        assert deployment.env()[name] not in logged
        assert deployment.env()[name].split(":")[-1] not in logged
    assert "ready" in deployment.make("logs", "solo", "--engine", "docker").out


@pytest.mark.timeout(600)  # two chunks of 20 to 50 s of CPU time, on a machine that may be busy
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
            time.sleep(0.5)  # the health is to stay as it is: there is no event to wait for
    assert time.monotonic() - began > 15  # longer than the health check tolerates
    assert (gevent.returncode, solo.returncode) == (0, 0)


def test_a_stopped_worker_is_unhealthy_and_a_killed_one_is_started_again(
    deployment: Deployment,
) -> None:
    [solo] = deployment.containers("solo")
    status = deployment.producer("status", "--json").json()
    [pid] = [worker["pid"] for worker in status["workers"] if worker["pool"] == "solo"]
    docker("exec", solo, "sh", "-c", f"kill -STOP {pid}")
    wait_until(lambda: deployment.health(solo) == "unhealthy", 60)
    docker("exec", solo, "sh", "-c", f"kill -CONT {pid}")
    wait_until(lambda: deployment.health(solo) == "healthy", 60)
    docker("exec", solo, "sh", "-c", f"kill -KILL {pid}")
    wait_until(lambda: inspected(solo)["RestartCount"] == 1, 60)
    wait_until(lambda: deployment.health(solo) == "healthy", 60)
    assert deployment.producer("run", "sum", "--stop", "1e5", "--pool", "solo").code == 0


def test_a_host_that_is_told_to_stop_finishes_its_chunks_first(deployment: Deployment) -> None:
    first, second = deployment.containers("threads")
    with deployment.running(
        *("run", "mixed", "--stop", "400", "--cpu-s", "0", "--wait-s", "0.1"),
        *("--chunks", "8", "--pool", "threads", "--json"),
    ) as command:
        host = deployment.host(first)
        wait_until(lambda: len(_held(deployment, host, indices=50)) == 2, 30)
        docker("stop", "--time", "60", first)
        code = inspected(first)["State"]["ExitCode"]
        docker("start", first)
        out, _ = command.communicate(timeout=90)
    wait_until(lambda: deployment.health(first) == "healthy", 60)
    run = json.loads(out)
    assert code == 0
    assert run["exact"]
    assert run["duplicates"] == 0
    assert sum(share["chunks"] for share in run["shares"][host].values()) >= 2
    assert any(f"threads@{host} left" in event["what"] for event in run["events"])
    assert deployment.host(second) in run["shares"]


def _held(deployment: Deployment, host: str, indices: int) -> set[str]:
    """Running chunks of this size in the worker of this host, as START-STOP."""
    with connect(deployment.broker_url()) as client:
        task_ids = [
            task_id
            for announcement in announcements(client)
            if announcement.presence.host.host == host
            for task_id in announcement.holds
        ]
    ranges = filter(None, (re.search(r"\.(\d+)-(\d+)$", task_id) for task_id in task_ids))
    return {text for text, start, stop in map(_range, ranges) if stop - start == indices}


def _range(match: re.Match[str]) -> tuple[str, int, int]:
    return match[0], int(match[1]), int(match[2])
