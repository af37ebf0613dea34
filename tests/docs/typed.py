"""The commands that the documents tell a reader to type, each with the directory to type it in.

A page begins at the top of a clone; ``cd`` in a block changes the directory for the rest of the
page. All commands stand in blocks marked ``sh``; other blocks hold output.
"""

import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from posixpath import join, normpath

from tests.docs.pages import DOCS, PAGES, ROOT, name

PROGRAMS = ("producer", "poolrace")
"""Names of the command line."""

TIME = re.compile(r"# about \d+ (s|min)$")
"""Comment on a command that takes long; the tests parse the command, but do not run it."""

ELSEWHERE: dict[str, str] = {
    "/opt/python3.13t/bin/python -m pip install": "the reader's own interpreter",
    "producer up": "tests/integration/test_cluster.py",
    "producer down": "tests/integration/test_cluster.py",
    "producer status": "tests/integration/test_cluster.py",
    'eval "$(producer env)"': "tests/integration/test_cluster.py",
    "celery --app poolrace.workers.tasks inspect stats": "tests/integration/test_cluster.py",
    "producer watch": "tests/integration/test_watch.py and tests/unit/test_watch_web.py",
    "producer resume JOB": "tests/faults/test_jobs.py, with the id of a job",
    "producer cancel JOB": "tests/faults/test_jobs.py, with the id of a job",
    "producer race -A proj.celery": "the reader's own project; tests/races",
    "uv tool install": "needs uv; tests/packaging installs with pip",
    "pipx install": "needs pipx; tests/packaging installs with pip",
    "pip install": "tests/packaging",
    "deploy/certificates.sh": "tests/cluster/test_tls.py",
    "docker compose": "tests/cluster/test_tls.py",
    "cat >> .env": "writes settings with addresses; tests/cluster/test_tls.py",
    "python examples/lesson/": "tests/integration/test_lesson.py",
    ". .venv/bin/activate": "the tests run in that environment",
    'eval "$(_POOLRACE_COMPLETE': "tests/unit/test_completion.py",
    "docs/tour": "tests/integration/test_tour.py",
}
"""Beginning of a command that is not run from the documents, or of the name of a page whose
commands are not -> the tests that run it, or why."""


@dataclass(frozen=True)
class Typed:
    """A command with the directory, below the top of the clone, that a reader stands in."""

    page: str
    directory: str
    line: str

    def __str__(self) -> str:
        return f"{self.page}: {self.directory}$ {self.line.splitlines()[0]}"

    @property
    def words(self) -> list[str]:
        """The words of the command, without its comment."""
        return shlex.split(self.line, comments=True)

    @property
    def is_run(self) -> bool:
        """Whether tests/integration/test_docs.py runs the command."""
        return self.words[0] in PROGRAMS and not TIME.search(self.line) and not self.elsewhere

    @property
    def elsewhere(self) -> str | None:
        """The beginning in ``ELSEWHERE``, if the command or its page has one."""
        return next((begin for begin in ELSEWHERE if self._begins(begin)), None)

    def _begins(self, begin: str) -> bool:
        return self.line.startswith(begin) or self.page.startswith(begin)


def typed() -> list[Typed]:
    """All commands of all pages; a command typed in one directory by several pages comes once."""
    found = [each for page in PAGES for each in _typed_of(page)]
    return list({(each.directory, each.line): each for each in reversed(found)}.values())[::-1]


def _typed_of(page: Path) -> Iterator[Typed]:
    directory = "."
    for block in re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
        for line in _commands(block):
            if line.startswith("cd "):
                directory = normpath(join(directory, line.removeprefix("cd ")))
            else:
                yield Typed(name(page), directory, line)


def _commands(block: str) -> Iterator[str]:
    """The commands of a block; a here-document belongs to its command."""
    lines = iter(block.splitlines())
    for line in lines:
        command = line
        if here := re.search(r"<<'(\w+)'", line):
            for more in lines:
                command += f"\n{more}"
                if more == here[1]:
                    break
        if command.strip() and not command.startswith("#"):
            yield command


def spans() -> list[str]:
    """The code within sentences and tables of all pages, each once."""
    text = "\n".join(page.read_text() for page in PAGES)
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return list(dict.fromkeys(re.findall(r"`([^`\n]+)`", text)))


def make_clone(top: Path) -> Path:
    """Make a directory that looks like a clone to the documented commands; return it."""
    shutil.copytree(ROOT / "examples", top / "examples")
    shutil.copy(ROOT / "Makefile", top)
    shutil.copy(DOCS / "examples" / "compare.json", top / "results.json")
    (top / "mine").mkdir()
    for items in (top / "items.jsonl", top / "mine" / "items.jsonl"):
        items.touch()
    return top
