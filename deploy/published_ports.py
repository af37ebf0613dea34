"""The ports of this machine at which the containers are reached: checked, and replaced if taken."""

import errno
import os
import socket
from collections.abc import Collection, Mapping

from env_file import BIND, ENV_FILE, FLOWER_PORT_VARIABLE, PORTS, write_variable
from poolrace.producer.cluster.ports import LOOPBACK, free_port
from poolrace.workers.errors import UsageError


def taken_ports(variables: Mapping[str, str], own: Collection[int]) -> dict[str, int]:
    """The ports that another program uses, by variable; ``own`` are those of our containers."""
    ports = {name: int(variables[name]) for name in PORTS}
    return {
        name: port
        for name, port in ports.items()
        if port not in own and _is_taken(_address(name, variables), port)
    }


def replace_taken_ports(variables: dict[str, str], own: Collection[int]) -> list[str]:
    """Replace each taken port in ``.env`` and in ``variables``; returns a message for each.

    Raises ``UsageError`` for a port that only the user can replace.
    """
    messages = []
    for name, port in taken_ports(variables, own).items():
        if not _is_replaceable(name, variables):
            raise UsageError(f"port {port} is taken; give another {name}")
        variables[name] = str(free_port())
        write_variable(name, variables[name])
        messages.append(f"port {port} is taken; .env now has {name}={variables[name]}")
    return messages


def _is_replaceable(name: str, variables: Mapping[str, str]) -> bool:
    """Whether no other place than this variable in ``.env`` knows the port.

    Other machines know the port of Redis, if they can reach it.
    """
    if name in os.environ:
        return False
    if name == FLOWER_PORT_VARIABLE:
        return True
    is_referenced = f"${{{name}}}" in ENV_FILE.read_text()
    return is_referenced and _address(name, variables) == LOOPBACK


def _address(name: str, variables: Mapping[str, str]) -> str:
    """Address of this machine at which the port is published."""
    return LOOPBACK if name == FLOWER_PORT_VARIABLE else variables.get(BIND, LOOPBACK)


def _is_taken(address: str, port: int) -> bool:
    """Whether a program listens on the port. The engine may use ports that this user may not."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.strip("[]"), port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False
