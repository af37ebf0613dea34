"""The documents of the repository, and the commands of the program."""

from pathlib import Path

import click

from poolrace.producer.commands import producer

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = [
    README,
    ROOT / "README.ko.md",
    *(ROOT / name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
    *(ROOT / folder / "README.md" for folder in ("deploy", "examples")),
    *sorted(page for page in DOCS.rglob("*.md") if DOCS / "examples" not in page.parents),
]
TEXT = "\n".join(page.read_text() for page in PAGES)


def name(page: Path) -> str:
    """The path of a page below the top of the repository."""
    return page.relative_to(ROOT).as_posix()


def reference(page: str) -> str:
    """The text of a page of the reference."""
    return (DOCS / "reference" / page).read_text()


def command_named(command_name: str) -> click.Command:
    """The click command of that name."""
    command = producer.get_command(click.Context(producer), command_name)
    assert command is not None
    return command
