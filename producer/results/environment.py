"""The environment of a measurement: hosts, versions and the commit of poolrace. Pure."""

from dataclasses import dataclass

from poolrace.workers.host_facts import HostFacts


@dataclass(frozen=True)
class Environment:
    """Hosts, versions and commit of a measurement; it has no paths, user names or passwords."""

    hosts: list[HostFacts]
    versions: dict[str, str]
    """Package -> its version."""
    commit: str | None = None
    """Commit of poolrace, with ``+`` if files were changed since; ``None`` if not known."""
