"""The environment of a measurement: a commit is stored only if it is a commit of poolrace."""

import subprocess
from pathlib import Path

import pytest

from poolrace.producer.environment import SOURCE_TREE, commit_of

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The checkout of another project, with one commit."""
    author = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")
    for arguments in (
        ["init", "--quiet"],
        [*author, "commit", "--quiet", "--allow-empty", "-m", "A"],
    ):
        subprocess.run(["git", "-C", str(tmp_path), *arguments], check=True)
    return tmp_path


def test_the_source_tree_is_the_root_of_the_checkout() -> None:
    assert SOURCE_TREE == ROOT


def test_a_checkout_has_a_commit(checkout: Path) -> None:
    commit = commit_of(checkout)
    assert commit is not None
    assert len(commit) == 12


def test_a_changed_checkout_is_marked_with_a_plus(checkout: Path) -> None:
    (checkout / "file").touch()
    subprocess.run(["git", "-C", str(checkout), "add", "file"], check=True)
    assert str(commit_of(checkout)).endswith("+")


def test_a_package_installed_within_another_project_has_no_commit(checkout: Path) -> None:
    package = checkout / ".venv" / "lib" / "site-packages" / "poolrace"
    package.mkdir(parents=True)
    assert commit_of(package) is None


def test_a_directory_outside_of_any_checkout_has_no_commit(tmp_path: Path) -> None:
    assert commit_of(tmp_path) is None
