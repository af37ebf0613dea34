"""The command that installs a missing extra fits the way in which poolrace was installed."""

import json
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from poolrace.producer.reports.charts import rendering
from poolrace.producer.reports.formats import image
from poolrace.workers import installation
from poolrace.workers.errors import UsageError
from poolrace.workers.installation import install_command
from poolrace.workers.workloads import make_workload

METADATA = """\
Metadata-Version: 2.4
Name: poolrace
Version: 0.2.0
Requires-Dist: redis<9,>=8.1
Requires-Dist: numpy>=2.4; extra == "numpy"
Requires-Dist: altair>=6.3; extra == "charts"
Requires-Dist: vl-convert-python>=1.9.0.post1; extra == "charts"
"""

CHECKOUT = "file:///home/me/my%20checkout"
REPOSITORY = "https://example.org/poolrace.git"


@dataclass(frozen=True)
class Environment:
    """A directory that looks like an environment in which poolrace is installed."""

    path: Path

    @property
    def distribution(self) -> Path:
        return self.path / "poolrace-0.2.0.dist-info"

    def mark(self, file: str) -> None:
        (self.path / file).touch()

    def install_from(self, origin: dict[str, Any]) -> None:
        (self.distribution / "direct_url.json").write_text(json.dumps(origin))


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    environment = Environment(tmp_path)
    environment.distribution.mkdir()
    (environment.distribution / "METADATA").write_text(METADATA)
    installed = metadata.PathDistribution(environment.distribution)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(installation, "distribution", lambda name: installed)
    return environment


def test_in_a_virtual_environment_pip_installs_the_extra(environment: Environment) -> None:
    assert install_command("charts") == "pip install 'poolrace[charts]'"


def test_in_a_virtual_environment_of_uv_uv_pip_installs_the_extra(environment: Environment) -> None:
    (environment.distribution / "INSTALLER").write_text("uv\n")
    assert install_command("numpy") == "uv pip install 'poolrace[numpy]'"


def test_a_uv_tool_is_installed_again_with_the_extra(environment: Environment) -> None:
    environment.mark("uv-receipt.toml")
    assert install_command("charts") == "uv tool install 'poolrace[charts]'"


def test_a_uv_tool_from_a_checkout_is_installed_from_that_checkout(
    environment: Environment,
) -> None:
    environment.mark("uv-receipt.toml")
    environment.install_from({"url": CHECKOUT, "dir_info": {}})
    assert install_command("charts") == f"uv tool install 'poolrace[charts] @ {CHECKOUT}'"


def test_a_uv_tool_from_a_repository_is_installed_from_that_repository(
    environment: Environment,
) -> None:
    environment.mark("uv-receipt.toml")
    environment.install_from({"url": REPOSITORY, "vcs_info": {"vcs": "git"}})
    assert install_command("charts") == f"uv tool install 'poolrace[charts] @ git+{REPOSITORY}'"


def test_a_uv_tool_keeps_its_other_extras(environment: Environment) -> None:
    """As in the file that uv 0.13 wrote after ``uv tool install '/home/me/my checkout[numpy]'``."""
    environment.mark("uv-receipt.toml")
    (environment.path / "uv-receipt.toml").write_text(
        '[tool]\nrequirements = [{ name = "poolrace", extras = ["numpy"],'
        ' directory = "/home/me/my checkout" }, { name = "httpx" }]\n'
    )
    environment.install_from({"url": CHECKOUT, "dir_info": {}})
    assert install_command("charts") == f"uv tool install 'poolrace[charts,numpy] @ {CHECKOUT}'"


def test_pipx_injects_the_packages_of_the_extra(environment: Environment) -> None:
    environment.mark("pipx_metadata.json")
    assert install_command("charts") == "pipx inject poolrace altair vl-convert-python"


def test_in_a_checkout_make_installs_all_extras(environment: Environment) -> None:
    environment.mark("poolrace-stamp")
    environment.install_from({"url": CHECKOUT, "dir_info": {"editable": True}})
    assert install_command("charts") == "make install"


def test_without_an_installed_distribution_make_installs_all_extras(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(name: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(installation, "distribution", missing)
    assert install_command("charts") == "make install"


def test_an_image_without_its_extra_names_the_command(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering, "find_spec", lambda module: None)
    with pytest.raises(UsageError, match=r"pip install 'poolrace\[charts\]'"):
        image.require_charts()


def test_the_numpy_kernel_without_its_extra_names_the_command(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    steps = make_workload("sum", {"kernel": "numpy"}).steps(0, 10)
    with pytest.raises(UsageError, match=r"pip install 'poolrace\[numpy\]'"):
        next(steps)


def test_the_packages_of_an_extra_are_read_from_the_installed_metadata() -> None:
    real = metadata.distribution(installation.NAME)
    assert installation.packages(real, "charts") == ["altair", "vl-convert-python"]
