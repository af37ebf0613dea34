"""The documents say what is true: every command and option is there, and the commands run."""

import re
import shlex
from dataclasses import fields
from pathlib import Path

import click
import pytest

from benchmarks.peers import PEERS, Entry
from poolrace.producer.commands import COMMANDS, producer
from poolrace.producer.executors.models import LOCAL_MODELS
from poolrace.producer.jobs.schedules import SCHEDULES
from poolrace.producer.reports.formats import FORMATS
from poolrace.producer.results.run import Run
from poolrace.workers.pools import POOLS
from poolrace.workers.workloads import WORKLOADS
from tests.conftest import CommandLine

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", ROOT / "deploy" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXT = "\n".join(page.read_text() for page in PAGES)
README = (ROOT / "README.md").read_text()


def command_named(name: str) -> click.Command:
    found = producer.get_command(click.Context(producer), name)
    assert found is not None
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_documented(name: str) -> None:
    assert f"producer {name}" in TEXT
    for parameter in command_named(name).params:
        for option in parameter.opts:
            if option.startswith("--"):
                assert re.search(rf"{option}(?![a-z-])", TEXT), option


@pytest.mark.parametrize("word", [*WORKLOADS, *POOLS, *LOCAL_MODELS, *SCHEDULES, *FORMATS], ids=str)
def test_every_name_of_a_registry_is_documented(word: str) -> None:
    assert f"`{word}`" in README


@pytest.mark.parametrize("peer", PEERS.values(), ids=PEERS)
def test_every_peer_is_named_with_its_configuration(peer: Entry) -> None:
    assert f"| {peer.title} | {peer.configured} |" in README


def test_every_parameter_of_a_workload_is_documented() -> None:
    for workload in WORKLOADS.values():
        for field in fields(workload):
            assert f"--{field.name.replace('_', '-')}" in README


def test_every_make_target_is_documented() -> None:
    targets = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert len(targets) >= 6
    for target in targets:
        assert f"make {target}" in TEXT, target


def test_every_setting_is_documented() -> None:
    source = (ROOT / "workers" / "settings.py").read_text()
    names = set(re.findall(r'"((?:CELERY|POOLRACE|FLOWER)_[A-Z_]+)"', source))
    assert len(names) >= 9
    for name in names:
        assert f"`{name}`" in README, name


def test_every_variable_of_the_compose_files_is_documented() -> None:
    for file in (ROOT / "docker-compose.yml", ROOT / "deploy" / "compose.host.yml"):
        for name in re.findall(r"\$\{([A-Z_]+)", file.read_text()):
            assert name in TEXT, (file.name, name)


def test_every_key_of_a_run_is_documented() -> None:
    for field in fields(Run):
        assert f"`{field.name}`" in README, field.name


def test_every_file_of_the_deployment_is_documented() -> None:
    page = (ROOT / "deploy" / "README.md").read_text()
    for file in (ROOT / "deploy").iterdir():
        if file.is_file() and not file.name.startswith((".", "README")):
            assert f"`{file.name}`" in page, file.name


def test_links_between_the_documents_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), (page.name, target)


def shell_lines() -> list[str]:
    """The lines that a reader may type: those of README's ``sh`` blocks."""
    blocks = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


LINES = [line for line in shell_lines() if line.startswith("producer ")]
STANDING = ("up", "down", "env", "status")
"""Commands about the cluster that stays; tests/integration/test_cluster.py runs those."""


def test_there_are_commands_to_run() -> None:
    assert len(LINES) >= 8


@pytest.mark.parametrize("line", LINES)
def test_the_readmes_commands_are_understood(line: str) -> None:
    arguments = shlex.split(line, comments=True)[1:]
    command = command_named(arguments[0])
    command.make_context(arguments[0], arguments[1:], resilient_parsing=False)


@pytest.mark.parametrize("line", [it for it in LINES if "# slow" not in it])
def test_the_readmes_commands_run(line: str, producer_on_cluster: CommandLine) -> None:
    arguments = shlex.split(line, comments=True)[1:]
    if arguments[0] in STANDING:
        return
    if arguments[0] == "report":
        producer_on_cluster(
            "compare", "sum", "--stop", "1e4", "--local", "single", "--out", "results.json"
        )
    answer = producer_on_cluster(*arguments)
    assert answer.code == 0, answer.err
