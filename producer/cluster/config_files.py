"""The files of a local cluster: what Redis and the supervisor are configured with."""

import configparser
import io
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from poolrace.producer.cluster.flower import flower_command
from poolrace.producer.cluster.ports import LOOPBACK
from poolrace.workers.command_line import worker_command

LOG_BYTES = 2_000_000


def redis_conf(
    directory: Path, port: int, password: str, *, keep: bool, largest: str = "1mb"
) -> str:
    """Redis on loopback, with a password; ``keep`` writes every change to disk.

    No message of ours is near ``largest``; the server refuses what no worker should read.
    """
    return "\n".join(
        (
            "bind 127.0.0.1",
            f"port {port}",
            f"requirepass {_quoted(password)}",
            f"dir {_quoted(directory)}",
            'save ""',
            # With its append-only file a restarted Redis still knows what is queued.
            f"appendonly {'yes' if keep else 'no'}",
            # A full Redis refuses and is noticed; an evicting one loses chunks in silence.
            "maxmemory-policy noeviction",
            f"proto-max-bulk-len {largest}",
            "",
        )
    )


@dataclass(frozen=True)
class Program:
    """A program of the cluster. Neither its command nor its variables hold a secret."""

    command: list[str]
    variables: Mapping[str, str] = field(default_factory=dict)


def cluster_programs(
    redis_command: list[str], pools: Mapping[str, int], hosts: list[str], flower_port: int | None
) -> dict[str, Program]:
    """The programs of the cluster, by name: a worker of each pool for each of the ``hosts``."""
    programs = {"redis": Program(redis_command)}
    for pool, slots in pools.items():
        for number, host in enumerate(hosts, start=1):
            name = f"worker-{pool}" if len(hosts) == 1 else f"worker-{pool}-{number}"
            command = worker_command(pool, slots, host)
            programs[name] = Program(command, {"POOLRACE_HOST": host})
    if flower_port is not None:
        programs["flower"] = Program(flower_command(LOOPBACK, flower_port))
    return programs


def supervisord_conf(directory: Path, programs: Mapping[str, Program], stop_s: int) -> str:
    """supervisord's file: it restarts whatever ends, and stops Redis last.

    Programs inherit their secrets from the supervisor's environment.
    """
    parser = configparser.RawConfigParser()
    parser["supervisord"] = {
        "nodaemon": "true",
        "directory": _escaped(str(directory)),
        "logfile": _escaped(str(directory / "supervisord.log")),
        "logfile_maxbytes": str(LOG_BYTES),
        "pidfile": _escaped(str(directory / "supervisord.pid")),
        "childlogdir": _escaped(str(directory)),
        "minfds": "256",
        "minprocs": "64",
    }
    # Groups stop one after the other, the one with the highest priority first; the programs
    # of a group stop together.
    parser["group:store"] = {"programs": "redis", "priority": "1"}
    clients = ",".join(name for name in programs if name != "redis")
    if clients:
        parser["group:clients"] = {"programs": clients, "priority": "2"}
    for name, program in programs.items():
        parser[f"program:{name}"] = _section(directory, name, program, stop_s)
    text = io.StringIO()
    parser.write(text)
    return text.getvalue()


def _section(directory: Path, name: str, program: Program, stop_s: int) -> dict[str, str]:
    tethered = [
        sys.executable,
        "-m",
        "poolrace.producer.processes.die_with_parent",
        *program.command,
    ]
    variables = (f"{name}={_quoted(value)}" for name, value in program.variables.items())
    return {
        "command": _escaped(shlex.join(tethered)),
        "environment": _escaped(",".join(variables)),
        "autorestart": "true",
        # Never give up: Redis may be away for long, and its clients end without it.
        "startretries": "1000000",
        "startsecs": "1",
        "stopwaitsecs": str(stop_s),
        # prefork's children, too.
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": _escaped(str(directory / f"{name}.log")),
        "stdout_logfile_maxbytes": str(LOG_BYTES),
        "stdout_logfile_backups": "1",
    }


def _escaped(text: str) -> str:
    """supervisord expands ``%(name)s``."""
    return text.replace("%", "%%")


def _quoted(text: Path | str) -> str:
    """Redis' own quoting, for paths with spaces."""
    return '"' + str(text).replace("\\", "\\\\").replace('"', '\\"') + '"'
