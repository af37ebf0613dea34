"""Virtual environments of this interpreter with chosen packages, made of links within a moment."""

import venv
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

WORKER = "celery[redis]"
"""The requirement of a worker."""


def environment(directory: Path, *requirements: str) -> Path:
    """Make an environment with the packages that these requirements bring; returns its Python."""
    venv.create(directory, symlinks=True)
    packages = site_packages(directory)
    for name in closure(requirements):
        installed = distribution(name)
        for top in {Path(str(file)).parts[0] for file in installed.files or []} - {".."}:
            link = packages / top
            if top != "__pycache__" and not link.exists():
                link.symlink_to(str(installed.locate_file(top)))
    return directory / "bin" / "python"


def site_packages(environment: Path) -> Path:
    """The directory of an environment's packages."""
    return next(environment.glob("lib/python*/site-packages"))


def closure(requirements: tuple[str, ...]) -> set[str]:
    """The names of the packages that the requirements bring, with those that they require."""
    seen: set[str] = set()
    for text in requirements:
        seen.update(_required(Requirement(text), set()))
    return seen


def _required(requirement: Requirement, seen: set[str]) -> Iterator[str]:
    if str(requirement) in seen:
        return
    seen.add(str(requirement))
    yield requirement.name
    for text in distribution(requirement.name).requires or []:
        further = Requirement(text)
        extras = requirement.extras or {""}
        if not further.marker or any(further.marker.evaluate({"extra": e}) for e in extras):
            yield from _required(further, seen)


def write_package(python: Path, name: str, text: str) -> None:
    """Write a module into the environment of an interpreter."""
    (site_packages(python.parents[1]) / f"{name}.py").write_text(text)
