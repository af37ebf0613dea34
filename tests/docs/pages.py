"""The documents of the repository, and the commands that a reader may type."""

import re
from pathlib import Path

import click

from poolrace.producer.commands import producer

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = [
    README,
    *(ROOT / name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
    *(ROOT / folder / "README.md" for folder in ("deploy", "examples")),
    *sorted(DOCS.rglob("*.md")),
]
TEXT = "\n".join(page.read_text() for page in PAGES)

CLUSTER_COMMANDS = ("up", "down", "env", "status")
"""Commands about a cluster that stays; tests/integration/test_cluster.py runs those."""


def name(page: Path) -> str:
    """The path of a page below the top of the repository."""
    return page.relative_to(ROOT).as_posix()


def reference(page: str) -> str:
    """The text of a page of the reference."""
    return (DOCS / "reference" / page).read_text()


def shell_lines() -> list[str]:
    """The lines of all ``sh`` blocks, each once."""
    blocks = re.findall(r"^```sh\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.strip()]
    return list(dict.fromkeys(lines))


def command_named(command_name: str) -> click.Command:
    """The click command of that name."""
    command = producer.get_command(click.Context(producer), command_name)
    assert command is not None
    return command


PRODUCER_LINES = [line for line in shell_lines() if line.startswith("producer ")]
RUNNABLE_LINES = [
    line
    for line in PRODUCER_LINES
    if line.split()[1] not in CLUSTER_COMMANDS and "# slow" not in line
]
"""The lines that tests/integration/test_docs.py runs."""
