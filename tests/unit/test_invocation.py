"""The stored command line repeats the measurement: same parameters, no passwords, no output."""

import shlex
from pathlib import Path
from typing import Any

import click
import pytest

from poolrace.producer.commands import COMMANDS, producer
from poolrace.producer.commands.invocation import OUTPUT, invocation
from poolrace.producer.commands.output import Output
from poolrace.producer.reports.formats import FORMATS
from poolrace.producer.results.files import load, save
from poolrace.producer.results.race import Race
from tests.in_process import InProcess
from tests.unit.made_up_diffs import compared
from tests.unit.made_up_races import computing_in_python

LINES = (
    "run sum --stop 1e6 --chunks 7 --local threads:2 --out r.json --report r.html --json",
    "run minimum --values=-6,10 --pool prefork --slots 3 --time-limit 0.5",
    "compare mixed --start 5 --stop 1_000 --pool all:2 --local=threads --local single --repeat 2",
    "compare sum --kernel loop --schedule guided --chunk-size 10 --flower --wide --out r.json",
    "sweep sum --stop 1e6 --local processes:2 --chunks 2,8,64",
    "scale mixed --hosts 1,2,4 --pool gevent --repeat 5 --report s.svg",
    "race -A 'my proj' --task t.add --items 'it ems.jsonl' --pool gevent:50 --pool solo --yes",
    "race -A a --task t --items - --max-memory 500M --workers 1,2 --python '/a b/p' --out r.json",
    "race --app=x --task \"$(rm -rf ~)'\" --items - --prefetch 0,4 --max-tasks-per-child 7",
    "map --waiting 0,50 --slots 2,8 --item-s 0.02 --report m.md",
    "demo --stop 1e6 --repeat 1 --wide",
    "diff old.json new.json --margin 5% --fail-if slower:10% --format csv",
    "diff -- -old.json -new.json",
    "claims create-thread switch-coroutine --on threads --out c.json",
    "claims --python /usr/bin/python3.13 --python 'a b' --json",
    "run sum --broker redis://127.0.0.1:6379/0",
)  # fmt: skip


def repeated(line: str) -> str:
    """The invocation that the command stores."""
    _, stored = parsed(line)
    return stored


def parsed(line: str) -> tuple[dict[str, Any], str]:
    """The parameters that the command gets, and the command line that it stores."""
    name, *arguments = shlex.split(line)
    command = producer.get_command(click.Context(producer), name)
    assert command is not None
    context = command.make_context(name, arguments)
    with context:
        return context.params, invocation()


def measuring(parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters of the measurement; files by their names."""
    return {
        name: getattr(value, "name", value)
        for name, value in parameters.items()
        if name not in OUTPUT
    }


@pytest.fixture(autouse=True)
def _items(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "it ems.jsonl").touch()


@pytest.mark.parametrize("line", LINES)
def test_the_stored_command_line_gives_the_same_parameters_when_it_is_run_again(line: str) -> None:
    parameters, stored = parsed(line)
    program, again = stored.split(" ", 1)
    assert program == "producer"
    parameters_again, stored_again = parsed(again)
    assert measuring(parameters_again) == measuring(parameters)
    assert stored_again == stored


@pytest.mark.parametrize("line", LINES)
def test_the_stored_command_line_writes_no_file(line: str) -> None:
    parameters, _ = parsed(repeated(line).split(" ", 1)[1])
    assert not any(parameters.get(name) for name in OUTPUT)


def test_the_stored_command_line_has_only_what_was_typed() -> None:
    assert repeated(LINES[0]) == (
        "producer run sum --stop 1e6 --chunks 7 --local threads:2"
    )  # fmt: skip
    assert repeated("map") == "producer map"


@pytest.mark.parametrize(
    "broker",
    ["redis://:secret@h:6379/0", "redis://me:secret@h", "rediss://h/0?password=secret",
     "redis://:se@cret@h/1"],
)  # fmt: skip
def test_a_broker_with_a_password_is_the_variable_that_holds_it(broker: str) -> None:
    stored = repeated(f"run sum --stop 10 --broker {broker}")
    assert stored == 'producer run sum --stop 10 --broker "$CELERY_BROKER_URL"'
    assert "secret" not in repeated(f"race -A a --task t --items - --broker={broker}")


def test_a_password_in_any_other_url_is_masked() -> None:
    stored = repeated("race -A redis://:secret@h --task t --items -")
    assert stored == "producer race --app 'redis://:***@h' --task t --items -"


def test_variables_of_the_environment_are_not_in_the_command_line(
    producer_in_process: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://:secret@127.0.0.1:1/0")
    command = ("compare", "sum", "--stop", "100", "--local", "single", "--repeat", "1")
    assert producer_in_process(*command, "--out", "r.json").code == 0
    text = (producer_in_process.directory / "r.json").read_text()
    assert "secret" not in text
    assert load(producer_in_process.directory / "r.json").invocation == (
        "producer compare sum --stop 100 --local single --repeat 1"
    )


def test_every_measuring_command_stores_its_command_line(tmp_path: Path) -> None:
    """Races and maps write through the same output as comparisons."""
    assert set(COMMANDS) > {"run", "compare", "sweep", "scale", "race", "map"}
    output = Output(tmp_path / "r.json", None, as_json=True, invocation="producer race -A a")
    output.write(computing_in_python())
    stored = load(tmp_path / "r.json")
    assert isinstance(stored, Race)
    assert stored.invocation == "producer race -A a"


@pytest.mark.parametrize("name", ["text", "markdown", "html", "trace"])
def test_reports_show_the_command_line(name: str) -> None:
    results = computing_in_python()
    with_command = Output(None, None, as_json=False, invocation="producer race -A proj")
    assert "producer race -A proj" in str(FORMATS[name](with_command.store(results)))
    assert "repeat it" not in str(FORMATS[name](results)).lower()


def test_a_diff_shows_its_own_command_line(producer_in_process: InProcess) -> None:
    for name in ("old", "new"):
        save(compared({"local:threads": [1.0, 1.1, 1.2]}), producer_in_process.directory / name)
    answer = producer_in_process("diff", "old", "new", "--margin", "5%", "--report", "d.md")
    line = "producer diff old new --margin 5%"
    assert answer.out.endswith(f"repeat it: {line}\n")
    assert line in (producer_in_process.directory / "d.md").read_text()
    assert producer_in_process("diff", "old", "new", "--json").json()["invocation"] == (
        "producer diff old new"
    )
