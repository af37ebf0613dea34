"""Keeps the sample outputs of the documentation true.

    python docs/tools/samples.py measure [NAME ...]   run the commands of the samples anew
    python docs/tools/samples.py render               write reports and sample blocks anew
    python docs/tools/samples.py check                fail if render would change a file

A sample is a result file in ``docs/examples/``. Its chart lies beside it, and its text report is
in every document behind a line ``<!-- sample: NAME -->``. A Markdown table of a benchmark stands
between ``<!-- table: FILE -->`` and ``<!-- end of table -->``. ``make samples`` renders them.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from poolrace.producer.reports.formats import FORMATS
from poolrace.producer.reports.views.run import render
from poolrace.producer.results.files import load
from poolrace.producer.results.single_run import SingleRun

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLES = ROOT / "docs" / "examples"

SAMPLES = {
    "compare": "compare sum --stop 100_000_000 --local all:2 --pool all:2 --repeat 3 --flower",
    "sweep": "sweep mixed --stop 1000 --cpu-s 0 --wait-s 0.005 --pool threads:4"
    " --chunks 4,9,18,35,70,140,280,1000",
    "scale": "scale mixed --pool threads --hosts 1,2,4,8",
    "race": "race -A tasks --task tasks.count_primes --items items.jsonl --yes",
    "map": "map --slots 2,8,32",
    "claims": "claims",
    "one-two-two": "compare sum --chunks 2 --local single --local threads:2 --local processes:2",
    "mixed": "compare mixed",
    "numpy": "compare sum --kernel numpy --stop 2e9 --local single --local threads:2"
    " --local processes:2",
    "run": "run sum --pool prefork",
    "minimum": "run minimum --values 10,4,22,-6 --chunk-size 1 --local single",
    "builtin": "compare sum --kernel builtin --local single --local threads:2 --local processes:2",
    "tour-thread": "run sum --local single --stop 1e7 --chunks 4",
    "tour-gil": "compare sum --stop 3e7 --chunks 2 --local single --local threads:2"
    " --local processes:2",
    "tour-numpy": "compare sum --kernel numpy --stop 5e8 --local single --local threads:2",
    "tour-waiting": "compare mixed --stop 50 --local single --local threads:10 --local coroutines",
    # The next three: while the cluster of docs/tour.md runs.
    "tour-celery": "run sum --pool prefork --stop 1e7 --chunks 4",
    "tour-pools": "compare sum --stop 1e7 --local single --pool solo --pool threads --pool prefork",
    "tour-chunks": "sweep sum --stop 2e6 --pool prefork --chunks 2,20,200,2000 --repeat 2",
    "tour-hosts": "scale mixed --stop 100 --pool threads --hosts 1,2,4 --repeat 1",
    "tour-race": "race -A tasks --task tasks.resize --items items.jsonl --pool prefork:4"
    " --pool threads:8 --workers 1 --budget-s 60 --yes",
}
"""Name -> arguments of ``producer`` with which the sample was measured."""

DRAWN = ("scale", "map")
"""The samples whose chart is in a document."""

WITH_CHUNKS = ("compare", "scale", "run")
"""The samples that keep the records of single chunks, which their timelines show."""

FOLDERS = {"race": ROOT / "examples" / "pure_python", "tour-race": ROOT / "mine"}
"""Directory in which a sample's command runs; the others run at the top of the repository. A reader
of docs/tour.md makes the directory ``mine``."""

PAGES = [ROOT / "README.md", ROOT / "README.ko.md", *sorted((ROOT / "docs").rglob("*.md"))]
"""The documents with sample blocks."""

_TABLE = re.compile(
    r"(?P<mark><!-- table: (?P<file>\S+) -->\n).*?(?=<!-- end of table -->)", re.DOTALL
)

_BLOCK = re.compile(r"(?P<mark><!-- sample: (?P<name>[a-z-]+) -->\n\n?)```text\n.*?```", re.DOTALL)


def measure(names: list[str]) -> None:
    """Run the commands of these samples, or of all, and store what they measured."""
    for name in names or SAMPLES:
        out = EXAMPLES / f"{name}.json"
        command = ["producer", *shlex.split(SAMPLES[name])]
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "POOLRACE_HOST": "host",
        }
        command += ["--out", str(out)]
        subprocess.run(command, cwd=FOLDERS.get(name, ROOT), env=environment, check=True)
        if name not in WITH_CHUNKS:
            _drop_records(out)


def changes() -> dict[Path, str]:
    """Return the files that rendering would change, with their new content."""
    found = {EXAMPLES / f"{name}.svg": _render(name, "svg") for name in DRAWN}
    for page in PAGES:
        found[page] = _TABLE.sub(_with_table, _BLOCK.sub(_filled, page.read_text()))
    return {
        path: text for path, text in found.items() if not path.exists() or path.read_text() != text
    }


def main(arguments: list[str]) -> None:
    """Measure, render or check, as the first argument says."""
    if arguments[:1] == ["measure"]:
        measure(arguments[1:])
    elif arguments == ["render"]:
        for path, text in changes().items():
            path.write_text(text)
            sys.stdout.write(f"{path.relative_to(ROOT)}\n")
    elif arguments == ["check"]:
        if stale := changes():
            names = ", ".join(str(path.relative_to(ROOT)) for path in stale)
            sys.exit(f"sample outputs are not what poolrace prints now: {names}; run make samples")
    else:
        sys.exit(__doc__)


def _filled(block: re.Match[str]) -> str:
    return f"{block['mark']}```text\n{_render(block['name'], 'text')}```"


def _with_table(block: re.Match[str]) -> str:
    """The block with the tables of its file; unchanged while the file does not exist."""
    file = ROOT / block["file"]
    return f"{block['mark']}\n{file.read_text()}\n" if file.exists() else block[0]


def _render(name: str, format_: str) -> str:
    results = load(EXAMPLES / f"{name}.json")
    if isinstance(results, SingleRun) and format_ == "text":
        return render(results.run)  # as the command prints it
    content = FORMATS[format_](results)
    if isinstance(content, bytes):
        raise TypeError(f"{format_} is not a text format")
    return content


def _drop_records(path: Path) -> None:
    """Remove the records of single chunks: of a sweep they take 2 MB."""
    content = json.loads(path.read_text())
    for run in content.get("runs", []):
        run["records"] = []
    path.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
