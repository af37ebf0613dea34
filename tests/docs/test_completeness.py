"""Every command, option, setting, name, key and file is documented."""

import re
import subprocess
import tomllib
from dataclasses import fields
from typing import get_args

import pytest

from benchmarks.peers import PEERS, Entry
from poolrace.producer.commands import COMMANDS
from poolrace.producer.executors.models import LOCAL_MODELS
from poolrace.producer.jobs.schedules import SCHEDULES
from poolrace.producer.reports.formats import FORMATS
from poolrace.producer.results.interpreter import Interpreter
from poolrace.producer.results.run import (
    ChunkMark,
    ChunkRecord,
    Event,
    EventKind,
    Run,
    SlotShare,
    Utilisation,
    UtilisationRow,
)
from poolrace.workers.pools import POOLS
from poolrace.workers.workloads import WORKLOADS
from tests.docs.pages import DOCS, ROOT, TEXT, command_named, reference

GUIDES = "\n".join(
    page.read_text() for folder in ("how-to", "explanation") for page in (DOCS / folder).glob("*")
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented(command: str) -> None:
    assert f"`producer {command}" in reference("commands/index.md")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_has_a_help_text_which_the_reference_shows(command: str) -> None:
    for parameter in command_named(command).params:
        assert not parameter.opts[0].startswith("-") or getattr(parameter, "help", None)


@pytest.mark.parametrize("option", ["--budget-s", "--max-executions", "--time-limit", "--python"])
def test_an_option_that_limits_a_race_is_in_the_guide(option: str) -> None:
    assert option in GUIDES


@pytest.mark.parametrize("word", [*WORKLOADS, *SCHEDULES])
def test_every_workload_and_schedule_is_in_the_reference(word: str) -> None:
    assert f"| `{word}` |" in reference("workloads.md")


@pytest.mark.parametrize("word", [*POOLS, *LOCAL_MODELS])
def test_every_model_is_in_the_reference_and_in_the_glossary(word: str) -> None:
    assert f" {word}` |" in reference("workloads.md")
    assert f"`{word}`" in reference("glossary.md")


@pytest.mark.parametrize("word", FORMATS)
def test_every_report_format_is_in_the_reference(word: str) -> None:
    assert f"`{word}`" in reference("commands/index.md")


@pytest.mark.parametrize("peer", PEERS.values(), ids=PEERS)
def test_every_peer_is_named_with_its_configuration(peer: Entry) -> None:
    page = (DOCS / "explanation" / "benchmarks.md").read_text()
    assert f"| {peer.title} | {peer.configured} |" in page


def test_every_parameter_of_a_workload_is_documented() -> None:
    for workload in WORKLOADS.values():
        for field in fields(workload):
            assert f"--{field.name.replace('_', '-')}" in reference("workloads.md")


def test_every_make_target_is_documented() -> None:
    targets = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert len(targets) >= 6
    for target in targets:
        assert f"| `make {target}" in reference("make.md"), target


def test_make_help_lists_every_target_with_its_sentence() -> None:
    command = ["make", "--no-print-directory", "help"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^([a-z-]+):.*?## (.*)$", makefile, re.MULTILINE)
    assert re.findall(r"^  make ([a-z-]+) +(.*)$", answer.stdout, re.MULTILINE) == targets
    assert not re.search(r"\bsed\b", makefile)  # sed knows \t on GNU systems only


def test_every_setting_is_documented() -> None:
    source = "".join((ROOT / half / "settings.py").read_text() for half in ("workers", "producer"))
    names = set(re.findall(r'"((?:CELERY|POOLRACE|FLOWER)_[A-Z_]+)"', source))
    assert len(names) >= 9
    for name in names:
        assert f"| `{name}` |" in reference("settings.md"), name


def test_every_variable_of_the_compose_files_is_documented() -> None:
    for name in re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()):
        assert name in TEXT, name


def test_every_key_of_a_run_is_documented() -> None:
    for field in fields(Run):
        assert f"`{field.name}`" in reference("json.md"), field.name


def test_every_key_within_a_run_is_documented_with_its_values() -> None:
    for cls in (ChunkRecord, SlotShare, Event, Utilisation, UtilisationRow, Interpreter):
        for field in fields(cls):
            assert f"`{field.name}`" in reference("json.md"), field.name
    for value in (*get_args(ChunkMark), *get_args(EventKind)):
        assert f"`{value}`" in reference("json.md") or not value, value


def test_every_exit_code_is_documented() -> None:
    for code in (0, 1, 2, 3, 130, 143):
        assert f"\n| {code} | " in reference("exit-codes.md")


def test_every_file_of_the_deployment_is_documented() -> None:
    page = (ROOT / "deploy" / "README.md").read_text()
    for file in (ROOT / "deploy").iterdir():
        if file.is_file() and not file.name.startswith((".", "README")):
            assert f"`{file.name}`" in page, file.name


def test_the_changelog_begins_with_unreleased_changes_or_the_version_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    sections = re.findall(r"^## \[(.*?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert next(each for each in sections if each != "Unreleased") == project["version"]
    assert "Unreleased" not in sections[1:]
    assert sections[-1] == "0.1.0"


def test_the_readme_has_at_most_150_lines() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


def test_the_pre_commit_hooks_call_the_locked_tools() -> None:
    config = (ROOT / ".pre-commit-config.yaml").read_text()
    assert re.findall(r"- repo: (.*)", config) == ["local"]
    entries = re.findall(r"entry: (\S+)", config)
    assert len(entries) >= 4
    assert {entry.partition("/bin/")[0] for entry in entries} == {".venv"}


def test_ci_runs_every_supported_python() -> None:
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    tested = re.search(r"python: \[(.*)\]", workflow)
    assert tested
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    supported = re.findall(r"Python :: (3\.\d+)", "\n".join(classifiers))
    assert supported == re.findall(r'"(.*?)"', tested[1])
    assert all(version in reference("platforms.md") for version in supported)
    assert "run: .ci/run" in workflow
    assert "run: make check" in workflow
