"""The tour's sections, and the shape of the outputs in them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.docs.pages import DOCS

TOUR = DOCS / "tour.md"

VARYING = (
    r"^(Run: celery -A tasks worker) ",
    r"^(In the app: worker_concurrency) ",
)
"""Sentences that report measured values. Another machine may print another sentence that begins
with the same words, so only these words are compared."""

OPTIONAL = (
    r"(Processes|Threads|Coroutines and greenlets|Celery's solo pool) ",
    r"Not distinguishable from ",
    r"Faster answers ",
    r"Each chunk adds ",
    r"The optimum is ",
    r"N chunks had the shortest ",
    r"The serial fraction ",
    r"N hosts gave ",
    r"Universal Scalability Law ",
    r"For N hosts, ",
    r"(not )?distinguishable",
    r"\w+:N (is the fastest|and )",
    r"(It also|\w+:N) needs the least memory",
    r"Limited by ",
    r"The machine was busy",
    r"More \w+ would ",
    r"\w+: concurrency was not raised ",
)
"""Beginnings of sentences about measured values that another machine may not print at all. The
page is kept up to date in these by docs/tools/samples.py, from stored values."""


@dataclass(frozen=True)
class Section:
    """One numbered section of the tour: its commands, and the output that it shows of the last."""

    heading: str
    before: str
    """Commands of the section before the one with the output, as shell lines."""
    command: str
    """The command whose output the section shows."""
    output: str
    after: str
    """Commands of the section after the output, as shell lines."""

    def __str__(self) -> str:
        return self.heading


def sections() -> list[Section]:
    """The numbered sections of the tour."""
    parts = re.split(r"^## (\d+\. .*)\n", TOUR.read_text(), flags=re.MULTILINE)[1:]
    return [_section(heading, body) for heading, body in zip(parts[::2], parts[1::2], strict=True)]


def _section(heading: str, body: str) -> Section:
    body, _, _ = body.partition("\n## ")
    before, output, after = re.split(r"^```text\n(.*?)^```$", body, flags=re.DOTALL | re.MULTILINE)
    *preparations, command = _typed(before)
    return Section(heading, "\n".join(preparations), command, output, "\n".join(_typed(after)))


def _typed(text: str) -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)\n```$", text, re.DOTALL | re.MULTILINE)
    return "\n".join(blocks).splitlines()


def shape(output: str) -> list[str]:
    """The lines of an output without what differs from run to run.

    Numbers are replaced by ``N``. Of a table, the header and the first cell of each row remain.
    """
    return list(dict.fromkeys(_shape_of_lines(output)))


def _shape_of_lines(output: str) -> Iterator[str]:
    in_table = False
    for line in output.splitlines():
        is_rule = bool(re.fullmatch(r"-+(  +-+)+", line))
        in_table = is_rule or (in_table and line != "")
        if in_table and not is_rule:
            yield f"row: {line.split('  ')[0]}"
        elif line and not is_rule:
            yield from _shape_of_line(line)


def _shape_of_line(line: str) -> Iterator[str]:
    if machine := re.match(r".*(: )\d+ cores?, .*, (CPython) ", line):
        line = "a machine" + "".join(machine.groups())
    line = re.sub(r"^  \S*/producer ", "  producer ", line)  # not on PATH
    line = re.sub(r"(?<=login poolrace:)\S+", "PASSWORD", line)
    line = re.sub(r"(?<![a-z\d])\d[\d_]*(,\d{3})*(\.\d+)*(e\d+)?", "N", line)
    line = re.sub(r"(\[N, N\) )*\[N, N\)( and N more)?, (?=N s busy)", "[N, N), ", line)
    line = re.sub(r"(?<=\S)  +", "  ", line)
    if not any(re.match(begin, line) for begin in OPTIONAL):
        varying = next((found for each in VARYING if (found := re.match(each, line))), None)
        yield varying[1] if varying else line
