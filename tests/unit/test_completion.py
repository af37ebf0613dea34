"""The shell completes commands, options, names of workloads and models, files, and ids of jobs."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import BashComplete, CompletionItem, FishComplete, ZshComplete

from poolrace.producer.commands import COMMANDS, producer
from poolrace.producer.executors.models import LOCAL_MODELS
from poolrace.producer.experiments import saved_jobs as module
from poolrace.producer.experiments.saved_jobs import SavedJob
from poolrace.producer.settings import Settings
from poolrace.workers.errors import ClusterError
from poolrace.workers.pools import POOLS
from poolrace.workers.workloads import WORKLOADS
from tests.conftest import OURS

ROOT = Path(__file__).parent.parent.parent


def completed(line: str) -> list[CompletionItem[str]]:
    """What the shell gets for this command line; its last word is completed."""
    *words, typed = line.split(" ")
    shell = BashComplete(producer, {}, words[0], "_PRODUCER_COMPLETE")
    return shell.get_completions(words[1:], typed)


def words(line: str) -> list[str]:
    return [item.value for item in completed(line)]


def test_commands_are_completed_without_importing_them() -> None:
    assert words("producer ") == list(COMMANDS)
    assert words("producer re") == ["report", "resume"]


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("producer run ", list(WORKLOADS)),
        ("producer run sum --pool ", list(POOLS)),
        ("producer run sum --local ", list(LOCAL_MODELS)),
        ("producer compare sum --pool ", ["all", *POOLS]),
        ("producer compare sum --local ", ["all", *LOCAL_MODELS]),
        ("producer sweep sum --pool ", list(POOLS)),
        ("producer scale sum --local ", list(LOCAL_MODELS)),
        ("producer race --pool ", list(POOLS)),
        ("producer up --pool ", list(POOLS)),
        ("producer up --pool ge", ["gevent"]),
        ("producer run sum --schedule st", ["static"]),
        ("producer run sum --kernel n", ["numpy"]),
        ("producer report r.json --format m", ["markdown"]),
        ("producer diff old.json new.json --format m", ["markdown"]),
        ("producer run sum --chunk-", ["--chunk-size"]),
    ],
)
def test_names_are_completed(line: str, names: list[str]) -> None:
    assert words(line) == names


@pytest.mark.parametrize(
    "line",
    ["producer report ", "producer diff ", "producer diff old.json ", "producer race --python ",
     "producer compare sum --out ", "producer race --items "],
)  # fmt: skip
def test_files_are_completed_by_the_shell(line: str) -> None:
    assert [item.type for item in completed(line)] == ["file"]


@pytest.fixture
def brokers(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """Brokers that the completion asked; each has a job in every state."""
    asked: list[str | None] = []

    def saved_jobs(settings: Settings) -> list[SavedJob]:
        asked.append(settings.broker_url)
        states = ("running", "lost", "interrupted", "failed", "finished", "cancelled")
        return [
            SavedJob(f"{number}{state}", "sum", 0, 8, "solo", state, 0.25, "", None, None)
            for number, state in enumerate(states)
        ]

    monkeypatch.setattr(module, "saved_jobs", saved_jobs)
    return asked


def test_a_job_that_can_be_resumed_is_completed_with_its_state(brokers: list[str | None]) -> None:
    assert words("producer resume ") == ["1lost", "2interrupted", "3failed"]
    assert words("producer resume 2") == ["2interrupted"]
    assert completed("producer resume 1")[0].help == "lost, 25% of sum"


def test_a_job_that_can_be_cancelled_is_completed(brokers: list[str | None]) -> None:
    assert words("producer cancel ") == ["0running", "1lost", "2interrupted", "3failed"]


def test_the_jobs_of_the_named_broker_are_completed(brokers: list[str | None]) -> None:
    words("producer resume --broker redis://192.0.2.1/0 ")
    assert brokers == ["redis://192.0.2.1/0"]


def test_no_job_is_completed_without_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    def saved_jobs(settings: Settings) -> list[SavedJob]:
        raise ClusterError("no cluster is running here")

    monkeypatch.setattr(module, "saved_jobs", saved_jobs)
    assert words("producer resume ") == []


@pytest.mark.parametrize("program", ["producer", "poolrace"])
@pytest.mark.parametrize("shell", [BashComplete, ZshComplete, FishComplete])
def test_each_shell_gets_a_script_for_the_program_as_it_was_called(
    program: str, shell: type[BashComplete | ZshComplete | FishComplete]
) -> None:
    script = asked(program, {f"_{program.upper()}_COMPLETE": f"{shell.name}_source"})
    assert f"_{program.upper()}_COMPLETE={shell.name}_complete" in script


@pytest.mark.parametrize("program", ["producer", "poolrace"])
def test_bash_completes_after_the_documented_line(program: str, tmp_path: Path) -> None:
    command = tmp_path / program
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m {program} "$@"\n')
    command.chmod(0o755)
    script = f"""
        eval "$(_{program.upper()}_COMPLETE=bash_source {program})"
        COMP_WORDS=({program} run sum --pool th) COMP_CWORD=4
        _{program}_completion {program}
        echo "${{COMPREPLY[@]}}"
    """
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    answer = subprocess.run(
        ["bash", "-c", script], cwd=ROOT, env={**os.environ, **path},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert answer.stdout == "threads\n"


def asked(program: str, variables: dict[str, str]) -> str:
    """The program's answer to a shell."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(OURS)}
    return subprocess.run(
        [sys.executable, "-m", program], cwd=ROOT, env={**environment, **variables},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
