"""The environment of a measurement: hosts, versions and the commit of poolrace. Pure."""

from dataclasses import dataclass, field

from poolrace.producer.results.interpreter import Interpreter
from poolrace.workers.host_facts import HostFacts

MAX_CORES = 1_000_000
"""Number of cores of a host, at most; more are taken for damage."""


@dataclass(frozen=True)
class Environment:
    """Hosts, versions and commit of a measurement.

    It has no user names or passwords, and no paths but those of interpreters that the user gave.
    """

    hosts: list[HostFacts]
    versions: dict[str, str]
    """Package -> its version."""
    commit: str | None = None
    """Commit of poolrace, with ``+`` if files were changed since; ``None`` if not known."""
    interpreters: list[Interpreter] = field(default_factory=list)
    """Other interpreters that ran local models; empty in files of older versions."""

    def __post_init__(self) -> None:
        # Workers may run without msgspec, so the facts themselves have no constraints.
        for number, facts in enumerate(self.hosts):
            if not 1 <= facts.cores <= MAX_CORES:
                raise ValueError(f"`hosts[{number}].cores` is {facts.cores}")
            if facts.cpu_quota is not None and not 0 < facts.cpu_quota <= MAX_CORES:
                raise ValueError(f"`hosts[{number}].cpu_quota` is {facts.cpu_quota}")
