"""The parts of a document that are the same in every language: headings, code, tables, links."""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.docs.pages import DOCS, README, ROOT

TRANSLATED = {README: ROOT / "README.ko.md", DOCS / "tour.md": DOCS / "tour.ko.md"}
"""English page -> its Korean counterpart."""


@dataclass(frozen=True)
class Section:
    """A section of a page: its heading, and the text below it up to the next heading."""

    heading: str
    text: str

    @property
    def number(self) -> str:
        """The marks of the heading's level, and its number if it has one."""
        found = re.match(r"#*( \d+\.)?", self.heading)
        return found[0] if found else ""

    def blocks(self) -> list[str]:
        """The code blocks, without the comments of shell commands, which are translated."""
        found = re.findall(r"^```(\w+)\n(.*?)^```", self.text, re.MULTILINE | re.DOTALL)
        return [re.sub(r" +# .*", "", code) if kind == "sh" else code for kind, code in found]

    def samples(self) -> list[str]:
        """The marks of the blocks and tables that docs/tools/samples.py renders."""
        return re.findall(r"^<!-- .* -->$", self.text, re.MULTILINE)

    @property
    def prose(self) -> str:
        """The text without code blocks."""
        return re.sub(r"^```.*?^```", "", self.text, flags=re.MULTILINE | re.DOTALL)

    def rows(self) -> list[list[str]]:
        """The code and the numbers in each row of the Markdown tables."""
        lines = re.findall(r"^\|.*\|$", self.prose, re.MULTILINE)
        return [[str(line.count("|")), *re.findall(r"`[^`]+`|\d[\d.,]*", line)] for line in lines]

    def spans(self) -> list[str]:
        """The code within sentences, sorted: languages have different orders of words."""
        return sorted(re.findall(r"`([^`\n]+)`", self.prose))

    def links(self) -> list[str]:
        """The targets of links, sorted; a Korean page counts as its English counterpart."""
        without_languages = re.sub(r"^\[(English|한국어)\].*$", "", self.prose, flags=re.MULTILINE)
        targets = re.findall(r"\]\(([^)\s]+)\)", without_languages)
        return sorted(re.sub(r"\.ko\.md\b", ".md", target) for target in targets)


def sections(page: Path) -> list[Section]:
    """The sections of a page; the first one has the text above the second heading."""
    text = page.read_text()
    blocks = re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL)
    for number, block in enumerate(blocks):  # a comment in a block looks like a heading
        text = text.replace(block, f"<block {number}>", 1)
    parts = re.split(r"^(#+ .*)\n", text, flags=re.MULTILINE)[1:]
    found = []
    for heading, body in zip(parts[::2], parts[1::2], strict=True):
        whole = re.sub(r"<block (\d+)>", lambda block: blocks[int(block[1])], body)
        found.append(Section(heading, whole))
    return found


def differences(english: list[str], korean: list[str]) -> list[str]:
    """Sentences that name the items of one list that the other one does not have in that place."""
    found = [
        f"English: {one!r} - Korean: {other!r}"
        for one, other in zip(english, korean, strict=False)
        if one != other
    ]
    found += [f"only in English: {one!r}" for one in english[len(korean) :]]
    return found + [f"only in Korean: {other!r}" for other in korean[len(english) :]]
