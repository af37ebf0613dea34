"""The environment of a measurement as text: hosts, cores and versions."""

from collections import Counter

from poolrace.producer.reports.views import interpreters
from poolrace.producer.results.environment import Environment
from poolrace.workers.host_facts import HostFacts


def lines(environment: Environment) -> list[str]:
    """One line per group of equal hosts, a warning if hosts share cores, and the versions.

    Other interpreters have a line each, hosts' interpreters a line for each build, and hosts with
    other versions than the producer's a line for these.
    """
    hosts_by_facts: dict[str, list[str]] = {}
    for host in environment.hosts:
        hosts_by_facts.setdefault(_facts(host), []).append(host.host)
    hosts_by_machine = Counter(host.machine for host in environment.hosts)
    return [
        *(f"{', '.join(hosts)}: {facts}" for facts, hosts in hosts_by_facts.items()),
        *(
            f"{count} of these hosts share the cores of one machine: more hosts there add no cores"
            for count in hosts_by_machine.values()
            if count > 1
        ),
        *_builds(environment.hosts),
        *interpreters.lines(environment),
        ", ".join(f"{package} {version}" for package, version in environment.versions.items()),
        *_other_versions(environment),
    ]


def _builds(hosts: list[HostFacts]) -> list[str]:
    """The build of each interpreter, if the hosts have several."""
    builds = dict.fromkeys((host.interpreter, host.build_flags) for host in hosts)
    if len(builds) == 1:
        return []
    return [f"{interpreter} was built with {flags}" for interpreter, flags in builds if flags]


def _other_versions(environment: Environment) -> list[str]:
    """The versions of hosts that differ from those of the producer, hosts with the same in one."""
    hosts_by_versions: dict[str, list[str]] = {}
    for host in environment.hosts:
        others = [
            f"{package} {version}"
            for package, version in host.versions.items()
            if version != environment.versions.get(package, version)
        ]
        if others:
            hosts_by_versions.setdefault(", ".join(others), []).append(host.host)
    return [f"{', '.join(hosts)}: {versions}" for versions, hosts in hosts_by_versions.items()]


def _facts(host: HostFacts) -> str:
    quota = f", CPU quota {host.cpu_quota:g}" if host.cpu_quota else ""
    return f"{host.cores} cores{quota}, {host.cpu}, {host.system}, {host.interpreter}"
