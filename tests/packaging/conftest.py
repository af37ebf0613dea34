"""The built distributions, and an environment in which poolrace lies beside another project."""

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import OURS

ROOT = Path(__file__).parent.parent.parent

PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")

SHOP_TASKS = """\
from celery import Celery

app = Celery("shop", broker="redis://broker.invalid/0")


@app.task(name="workers.tasks.double")
def double(number):
    return 2 * number
"""
"""A Celery app in a top-level package named ``workers``, as many projects have one."""

SHOP_PYPROJECT = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "shop"
version = "1"

[tool.setuptools]
packages = ["workers", "producer"]
"""


def run(*command: object, cwd: Path, env: dict[str, str] | None = None) -> str:
    """Run a command to its end; returns standard output, and fails with both outputs."""
    finished = subprocess.run(
        list(map(str, command)), cwd=cwd, env=env, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, f"{command}\n{finished.stdout}\n{finished.stderr}"
    return finished.stdout


@dataclass(frozen=True)
class Distributions:
    """The wheel and the sdist of this checkout."""

    wheel: Path
    sdist: Path


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    """Both distributions, built from a copy of the files that git tracks."""
    tree = tmp_path_factory.mktemp("checkout")
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    for name in filter(None, listed.split("\0")):
        if os.path.lexists(ROOT / name):
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name, follow_symlinks=False)
    out = tree / "dist"
    run(*PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", out, ".", cwd=tree)
    build = "import setuptools.build_meta as backend; backend.build_sdist('dist')"
    run(sys.executable, "-c", build, cwd=tree)
    [wheel], [sdist] = out.glob("*.whl"), out.glob("*.tar.gz")
    return Distributions(wheel, sdist)


@dataclass(frozen=True)
class SharedEnvironment:
    """A virtual environment with poolrace and a project ``shop``, and the project's directory."""

    directory: Path
    project: Path

    @property
    def variables(self) -> dict[str, str]:
        """The environment of a user who has activated it, without settings of this shell."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith((*OURS, "VIRTUAL"))}
        return {**inherited, "PATH": f"{self.directory / 'bin'}{os.pathsep}{os.environ['PATH']}"}

    def program(self, name: str) -> Path:
        """The path of a program of the environment."""
        return self.directory / "bin" / name

    def pip(self, *arguments: object) -> None:
        """Run pip in the environment."""
        run(*PIP, "--python", self.program("python"), *arguments, cwd=self.project)

    def run(self, program: str, *arguments: object, **variables: str) -> str:
        """Run a program of the environment in the project's directory; returns its output."""
        return run(
            self.program(program), *arguments, cwd=self.project, env={**self.variables, **variables}
        )

    def digests(self) -> dict[str, str]:
        """Relative path -> digest of each installed source file of the project ``shop``."""
        site = self.site_packages()
        return {
            str(path.relative_to(site)): hashlib.sha256(path.read_bytes()).hexdigest()
            for package in ("workers", "producer", "shop-1.dist-info")
            for path in sorted((site / package).rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts
        }

    def site_packages(self) -> Path:
        """The directory that packages are installed into."""
        return Path(
            sysconfig.get_path(
                "purelib", vars={"base": str(self.directory), "platbase": str(self.directory)}
            )
        )


@pytest.fixture(scope="session")
def shared(
    distributions: Distributions, tmp_path_factory: pytest.TempPathFactory
) -> SharedEnvironment:
    """``shop`` is installed first, poolrace second; dependencies come from this environment."""
    base = tmp_path_factory.mktemp("shared")
    project = base / "project"
    for package in ("workers", "producer"):
        (project / package).mkdir(parents=True)
        (project / package / "__init__.py").write_text(f'"""The shop\'s {package}."""\n')
    (project / "workers" / "tasks.py").write_text(SHOP_TASKS)
    (project / "pyproject.toml").write_text(SHOP_PYPROJECT)
    (project / "items.jsonl").write_text("[1]\n[2]\n[3]\n")
    run(sys.executable, "-m", "venv", "--without-pip", base / "venv", cwd=base)
    shared = SharedEnvironment(base / "venv", project)
    dependencies = sysconfig.get_path("purelib")
    (shared.site_packages() / "dependencies.pth").write_text(f"{dependencies}\n")
    install = ("install", "--no-deps", "--no-build-isolation", "--no-index", "--force-reinstall")
    shared.pip(*install, project)
    shutil.rmtree(project / "build", ignore_errors=True)
    shared.pip(*install, distributions.wheel)
    return shared
