"""The machines and versions of two measurements that differ, and background load. Pure."""

from collections.abc import Iterable, Mapping

from poolrace.producer.analysis.comparison_summary import BASE_MODEL, case_summaries
from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.environment import Environment
from poolrace.producer.results.interpreter import Interpreter

FACTS = {
    "cores": "cores", "cpu_quota": "CPU quota", "cpu": "CPU", "system": "system",
    "python": "Python", "gil": "GIL", "free_threaded": "free-threaded build",
}  # fmt: skip
"""Field of a host's facts -> its name in reports."""

FACTS_OF_BUILD = {"jit": "JIT", "build_flags": "build flags"}
"""Likewise, of facts that a file may lack; then they tell no difference."""

NONE = "none"
"""The value of a fact, or the version of a package, that one of two files does not have."""

LEAST_S = 0.1
"""Seconds of a run from which its CPU time tells, at least: the kernel counts in steps of 10 ms."""

Unlike = dict[str, tuple[str, str]]
"""Name of a fact or a package -> its value in the old file, and in the new one."""


def unlike_machines(old: Environment, new: Environment) -> Unlike:
    """The facts of the hosts that differ; a restart alone changes no fact."""
    facts = {name: (_values(old, field), _values(new, field)) for field, name in FACTS.items()}
    for field, name in FACTS_OF_BUILD.items():
        if all(getattr(host, field) not in (None, "") for host in [*old.hosts, *new.hosts]):
            facts[name] = _values(old, field), _values(new, field)
    facts["hosts"] = str(len(old.hosts)), str(len(new.hosts))
    return _differing(facts)


def unlike_versions(old: Environment, new: Environment) -> Unlike:
    """The packages and interpreters whose versions differ, and the commit of poolrace."""
    packages = dict.fromkeys([*old.versions, *new.versions])
    versions = {package: (_versions(old, package), _versions(new, package)) for package in packages}
    interpreters = [
        {f"interpreter {each.label}": _build(each) for each in environment.interpreters}
        for environment in (old, new)
    ]
    for label in dict.fromkeys([*interpreters[0], *interpreters[1]]):
        versions[label] = interpreters[0].get(label, NONE), interpreters[1].get(label, NONE)
    versions["commit of poolrace"] = old.commit or NONE, new.commit or NONE
    return _differing(versions)


def is_other_machine(old: Environment, new: Environment) -> bool:
    """Whether no machine is the same; a machine that was restarted counts as another one."""
    machines = [{host.machine for host in environment.hosts} for environment in (old, new)]
    return all(machines) and machines[0].isdisjoint(machines[1])


def base_cpu_share(comparison: Comparison) -> float:
    """The share of its time in which the base model, one computing thread, had a core.

    It is 1 if the comparison does not tell: its work waits, or it has no run of that model that is
    long enough for the kernel's count of CPU time.
    """
    for case in case_summaries(comparison):
        if case.model == BASE_MODEL and case.cpu_bound and case.elapsed_s >= LEAST_S:
            return case.cpu_s / case.elapsed_s
    return 1.0


def _versions(environment: Environment, package: str) -> str:
    """The different versions of a package that the producer and the workers have."""
    places = [environment.versions, *(host.versions for host in environment.hosts)]
    return _joined(place[package] for place in places if package in place)


def _build(interpreter: Interpreter) -> str:
    """The version, the GIL and the JIT of an interpreter."""
    gil, jit = _text(interpreter.gil), _text(interpreter.jit)
    return f"{interpreter.implementation} {interpreter.version}, GIL {gil}, JIT {jit}"


def _values(environment: Environment, field: str) -> str:
    """The different values of a fact over all hosts."""
    return _joined(getattr(host, field) for host in environment.hosts)


def _joined(values: Iterable[object]) -> str:
    texts = {_text(value) for value in values}
    return ", ".join(sorted(texts)) or NONE


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:g}"
    return NONE if value is None else str(value)


def _differing(facts: Mapping[str, tuple[str, str]]) -> Unlike:
    return {name: (old, new) for name, (old, new) in facts.items() if old != new}
