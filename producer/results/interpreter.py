"""The facts of a Python interpreter that runs chunks or claims. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Interpreter:
    """Facts of one Python interpreter, read by a process of that interpreter."""

    path: str
    """Path of the interpreter, as the user gave it or as it was found on ``PATH``."""
    version: str
    """Version of the language, as in ``3.13.5`` or ``3.14.0rc2``."""
    implementation: str
    """Name of the implementation, as in ``CPython``."""
    gil: bool
    """Whether the global interpreter lock is switched on."""
    free_threaded: bool
    """Whether this is a free-threaded build (``--disable-gil``)."""
    jit: bool | None
    """Whether the just-in-time compiler is switched on; ``None``: the interpreter does not tell."""
    build_flags: str
    """Options of ``configure`` that the interpreter was built with, without those with paths."""
    architecture: str
    """Architecture of the processor that the interpreter was built for, as in ``x86_64``."""
    label: str = ""
    """Name of the interpreter in cases, as in ``3.13t``: see ``labelled``."""

    @property
    def version_info(self) -> tuple[int, int]:
        """The first two numbers of the version."""
        major, minor = self.version.split(".")[:2]
        return int(major), int(minor)


def labelled(interpreters: Sequence[Interpreter]) -> list[Interpreter]:
    """The interpreters with labels, each the shortest that tells it from all others.

    That is ``3.13``, with ``t`` for a free-threaded build; or, if two have it, the whole version;
    or the whole version with a number. Other implementations than CPython begin with their name.
    """
    labels = [_label(each, ".".join(map(str, each.version_info))) for each in interpreters]
    labels = _distinct(labels, [_label(each, each.version) for each in interpreters])
    numbered = [f"{label}#{number}" for number, label in enumerate(labels, 1)]
    labels = _distinct(labels, numbered)
    return [replace(each, label=label) for each, label in zip(interpreters, labels, strict=True)]


def _label(interpreter: Interpreter, version: str) -> str:
    name = interpreter.implementation.lower()
    return f"{'' if name == 'cpython' else name}{version}{'t' * interpreter.free_threaded}"


def _distinct(labels: list[str], longer: list[str]) -> list[str]:
    """The labels, with the longer ones in place of those that several interpreters have."""
    count = Counter(labels)
    return [other if count[label] > 1 else label for label, other in zip(labels, longer, strict=True)]
