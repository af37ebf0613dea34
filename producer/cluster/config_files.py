"""The configuration files of a local cluster, as text: ``redis.conf``, ``supervisord.conf``."""

import configparser
import io
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from poolrace.producer.broker.client import REDIS_PORT
from poolrace.producer.cluster.flower import flower_command
from poolrace.producer.cluster.ports import LOOPBACK
from poolrace.producer.processes.die_with_parent import die_with_parent_command
from poolrace.workers.command_line import worker_command

LOG_BYTES = 2_000_000
"""Bytes of a program's log file; a longer file is rotated, and one older file is kept."""

DEFAULT_LARGEST_VALUE = "1mb"
"""Largest value that Redis accepts by default, in Redis' notation. Messages of poolrace are far
smaller; Redis refuses a larger message before a worker reads it."""

LIBRARY = "library"
"""Directory, below that of a cluster, from which other interpreters import poolrace."""

REDIS_CONF, SUPERVISORD_CONF = "redis.conf", "supervisord.conf"


@dataclass(frozen=True)
class ClusterSpec:
    """The specification of a local cluster that is to be started."""

    directory: Path
    """Directory of the cluster's files, which the caller makes and removes."""
    url: str
    """Redis URL of the broker, with its password."""
    pools: Mapping[str, int]
    """Slots of each worker, by pool."""
    hosts: list[str]
    """Names of the hosts; each host has one worker of each pool."""
    flower_port: int | None
    """Port of Flower, ``None``: no Flower."""
    stop_s: int
    """Seconds that a program has to stop after SIGTERM, before SIGKILL."""
    durable: bool
    """Whether Redis writes every change to disk."""
    largest_value: str = DEFAULT_LARGEST_VALUE
    """Largest value that Redis accepts, in Redis' notation."""
    interpreters: Mapping[str, str] = field(default_factory=dict)
    """Path of a host's interpreter, by name of the host; a host without one has our own."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Name of a worker that its host's interpreter cannot run -> the reason."""


def redis_conf(spec: ClusterSpec) -> str:
    """Text of ``redis.conf``: Redis on loopback, with a password."""
    parts = urlsplit(spec.url)
    return "\n".join(
        (
            f"bind {LOOPBACK}",
            f"port {parts.port or REDIS_PORT}",
            f"requirepass {_quoted(unquote(parts.password or ''))}",
            f"dir {_quoted(spec.directory)}",
            'save ""',
            # The append-only file keeps the queued messages when Redis restarts.
            f"appendonly {'yes' if spec.durable else 'no'}",
            # A full Redis must refuse writes with an error; eviction would lose chunks silently.
            "maxmemory-policy noeviction",
            f"proto-max-bulk-len {spec.largest_value}",
            "",
        )
    )


@dataclass(frozen=True)
class Program:
    """A program of the supervisor. Neither its command nor its variables hold a secret."""

    command: list[str]
    variables: Mapping[str, str] = field(default_factory=dict)


def cluster_programs(spec: ClusterSpec, redis_server: Path) -> dict[str, Program]:
    """The programs of the cluster, by name: Redis, a worker of each pool and host, Flower."""
    programs = {"redis": Program([str(redis_server), str(spec.directory / REDIS_CONF)])}
    for pool, slots in spec.pools.items():
        for number, host in enumerate(spec.hosts, start=1):
            if f"{pool}@{host}" in spec.left_out:
                continue
            name = f"worker-{pool}" if len(spec.hosts) == 1 else f"worker-{pool}-{number}"
            programs[name] = _worker(spec, pool, slots, host)
    if spec.flower_port is not None:
        programs["flower"] = Program(flower_command(LOOPBACK, spec.flower_port))
    return programs


def _worker(spec: ClusterSpec, pool: str, slots: int, host: str) -> Program:
    """The program of a worker."""
    variables = {"POOLRACE_HOST": host}
    if host not in spec.interpreters:
        return Program(worker_command(pool, slots, host), variables)
    # Another interpreter cannot use the packages that were installed for ours.
    variables |= {"PYTHONPATH": str(spec.directory / LIBRARY), "PYTHONHOME": ""}
    return Program(worker_command(pool, slots, host, python=spec.interpreters[host]), variables)


def supervisor_command(directory: Path) -> list[str]:
    """Command line of the supervisor of the cluster in ``directory``."""
    conf = str(directory / SUPERVISORD_CONF)
    return [sys.executable, "-m", "supervisor.supervisord", "--configuration", conf]


def supervisord_conf(spec: ClusterSpec, programs: Mapping[str, Program]) -> str:
    """Text of ``supervisord.conf``: the supervisor restarts its programs, and stops Redis last.

    Programs inherit their secrets from the supervisor's environment.
    """
    directory = spec.directory
    parser = configparser.RawConfigParser()
    parser["supervisord"] = {
        "nodaemon": "true",
        "silent": "true",  # it logs to its file alone, and to standard error why it does not start
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
        parser[f"program:{name}"] = _program_section(spec, name, program)
    text = io.StringIO()
    parser.write(text)
    return text.getvalue()


def _program_section(spec: ClusterSpec, name: str, program: Program) -> dict[str, str]:
    variables = (f"{name}={_quoted(value)}" for name, value in program.variables.items())
    return {
        "command": _escaped(shlex.join(die_with_parent_command(program.command))),
        "environment": _escaped(",".join(variables)),
        "autorestart": "true",
        # Restart without limit: workers and Flower can end while Redis is unreachable.
        "startretries": "1000000",
        "startsecs": "1",
        "stopwaitsecs": str(spec.stop_s),
        # Kill prefork's child processes, too.
        "killasgroup": "true",
        "redirect_stderr": "true",
        # Relative to the directory: supervisord expands this value twice, so "%" has no escape.
        "stdout_logfile": f"{name}.log",
        "stdout_logfile_maxbytes": str(LOG_BYTES),
        "stdout_logfile_backups": "1",
    }


def _escaped(text: str) -> str:
    """Escape a text for supervisord, which expands ``%(name)s``."""
    return text.replace("%", "%%")


def _quoted(text: Path | str) -> str:
    """Quote a value that may have spaces, in the syntax that Redis and supervisord share."""
    return '"' + str(text).replace("\\", "\\\\").replace('"', '\\"') + '"'
