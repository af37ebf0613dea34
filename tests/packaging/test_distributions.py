"""The wheel and the sdist hold one importable package, and all that belongs to it."""

import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT, Distributions, run

pytestmark = pytest.mark.timeout(400)  # the first test builds the distributions

PIP_WHEEL = ("-m", "pip", "--quiet", "wheel", "--no-deps", "--no-build-isolation", "--no-index")


def modules() -> set[str]:
    """The modules of this checkout, as paths below ``poolrace/``."""
    halves = [path for half in ("workers", "producer") for path in (ROOT / half).rglob("*.py")]
    own = (ROOT / "poolrace").glob("*.py")
    return {f"poolrace/{path.relative_to(ROOT)}" for path in halves} | {
        str(path.relative_to(ROOT)) for path in own
    }


def test_the_wheel_holds_poolrace_and_nothing_else(distributions: Distributions) -> None:
    with zipfile.ZipFile(distributions.wheel) as wheel:
        names = wheel.namelist()
    version = distributions.wheel.name.split("-")[1]
    assert {name.split("/")[0] for name in names} == {"poolrace", f"poolrace-{version}.dist-info"}
    assert {name for name in names if name.endswith(".py")} == modules()
    assert "poolrace/py.typed" in names


def test_the_sdist_holds_licence_changelog_docs_and_tests(distributions: Distributions) -> None:
    with tarfile.open(distributions.sdist) as sdist:
        members = {member.name.partition("/")[2]: member for member in sdist.getmembers()}
    for name in ("LICENSE", "CHANGELOG.md", "README.md", "docs", "tests", "tests/conftest.py"):
        assert name in members, name
    assert not [name for name, member in members.items() if member.issym() or member.islnk()]
    assert modules() <= members.keys()
    assert not {"workers", "producer"} & {name.split("/")[0] for name in members}


def test_the_sdist_builds_the_same_wheel(distributions: Distributions, tmp_path: Path) -> None:

    run(sys.executable, *PIP_WHEEL, "--wheel-dir", tmp_path, distributions.sdist, cwd=tmp_path)
    [rebuilt] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(rebuilt) as one, zipfile.ZipFile(distributions.wheel) as other:
        assert sorted(one.namelist()) == sorted(other.namelist())


def test_the_version_is_written_once(distributions: Distributions) -> None:
    version = distributions.wheel.name.split("-")[1]
    assert (ROOT / "pyproject.toml").read_text().count(f'version = "{version}"') == 1
    sources = [*(ROOT / "workers").rglob("*.py"), *(ROOT / "producer").rglob("*.py")]
    assert not [path for path in sources if version in path.read_text()]
