"""A damaged results file is refused by the name of the field, or rendered without harm.

Every field of every example takes hostile values, one or two fields at a time. A seeded sample is
tried; ``DAMAGE=all`` tries all damages of single fields, and as many of two (minutes).
"""

import copy
import csv
import io
import json
import os
import random
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from poolrace.producer.reports.charts import rendering
from poolrace.producer.reports.formats import FORMATS
from poolrace.producer.reports.page.figures import library
from poolrace.producer.reports.views.view import view
from poolrace.producer.results.files import Results, load, to_json
from poolrace.producer.results.pool_map import PoolMap
from poolrace.workers.errors import UsageError
from tests.unit.made_up_runs import single_run

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = {
    **{
        name: ROOT / "tests" / "data" / "results" / f"{name}.json"
        for name in ("compare", "sweep", "scale", "race", "map", "mixed", "one-two-two")
    },
    **{
        name: ROOT / "tests" / "data" / "races" / f"{name}.json" for name in ("blocking", "failing")
    },
}

SAMPLE = 100
"""Damages of one field tried per example, and of two fields."""

DRAWN = 1 if os.environ.get("DAMAGE") == "all" else 5
"""One of this many damaged results is rendered with charts, which take most of the time."""

DELETED = "deleted"
"""Stands for the deletion of a field."""

TEXTS = (
    "", "x", "<img src=x onerror=alert(1)>", '"><script>alert(1)</script>', '" onload="alert(1)',
    "\x1b[31mred\x1b]0;title\x07", "\ud800", "=1+1", "@SUM(A1)", "-1+1", "+1", "a|b\n\n# c\r\n",
    "[x](javascript:alert(1))", "[x\\](javascript:alert(1))", "{}", "%s", "\u202eabc",
    "\x00", "x" * 5000, "prefork\n", "gevent",
)  # fmt: skip

NUMBERS = (
    -1, 0, 1, 2, 0.5, -0.0, 5e-324, 1e-320, 1e-16, 1e-12, 1e-9, 1.5e9, 1e18, 1e308, -1e308,
    float("inf"), float("-inf"), float("nan"), 2**53, 2**63, 10**15, 10**30, 10**400,
)  # fmt: skip


class Key(str):
    """Stands for the new name of a field."""

    __slots__ = ()


HOSTILE: tuple[Any, ...] = (
    None, True, False, *NUMBERS, *TEXTS, [], {}, [None], [[]], [1, 2, 3], {"a": 1}, DELETED,
    *map(Key, TEXTS),
)  # fmt: skip

TAGS = {
    "html", "head", "meta", "title", "style", "body", "main", "nav", "section", "h1", "h2", "h3",
    "p", "div", "dl", "dt", "dd", "a", "span", "code", "pre", "button", "figure", "figcaption",
    "table", "caption", "thead", "tbody", "tr", "th", "td", "wbr", "script",
    "svg", "g", "defs", "clippath", "path", "rect", "line", "text", "tspan",
}  # fmt: skip
"""Elements of reports, in small letters."""

SCRIPTS = 2
"""Number of scripts of a page that browsers run; other scripts are JSON."""

Place = tuple[str | int, ...]
"""Keys and list positions that lead to a value within a JSON object."""


def example(name: str) -> dict[str, Any]:
    """The example; its first run has what reports show and the examples happen to lack."""
    if name == "run":
        return to_json(single_run())
    content: dict[str, Any] = json.loads(EXAMPLES[name].read_text())
    if name == "map":  # one row of three, which takes a third of the time
        content["concurrencies"] = [2]
        content["laps"] = [
            map_lap
            for map_lap in content["laps"]
            if map_lap["lap"]["candidate"]["concurrency"] == 2
        ]
    for run in content.get("runs", [])[:1]:
        run["events"] = [{"at_s": 0.5, "what": "threads@there joined with 1 slot(s)"}]
        run["records"] = [{"start": 0, "stop": 9, "host": "host", "slot": "1.0", "arrived_s": 0.1,
                           "duration_s": 0.1, "value": 36, "merged": 36}]  # fmt: skip
        run["shares"]["there"] = next(iter(run["shares"].values()))
    return content


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    """The places of all values; of a list only those of its first and last element."""
    if place:
        yield place
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*place, key))
    elif isinstance(value, list) and value:
        for position in sorted({0, len(value) - 1}):
            yield from places(value[position], (*place, position))


def damage(content: Any, place: Place, hostile: Any) -> None:
    """Put the hostile value into its place, or the hostile name in the place of the key."""
    for key in place[:-1]:
        content = content[key]
    if isinstance(hostile, Key):
        content[str(hostile)] = content.pop(place[-1])
    elif hostile == DELETED:
        del content[place[-1]]
    else:
        content[place[-1]] = copy.deepcopy(hostile)  # another damage may change it


def damages(name: str) -> Iterator[tuple[dict[str, Any], Place | None]]:
    """Damaged examples; with the place of the damage, unless there are two."""
    whole, chance = example(name), random.Random(name)
    text = json.dumps(whole)
    single = [
        (place, hostile)
        for place in places(whole)
        for hostile in HOSTILE
        if isinstance(place[-1], str) or not isinstance(hostile, Key)
    ]
    everything = os.environ.get("DAMAGE") == "all"
    for place, hostile in single if everything else chance.sample(single, SAMPLE):
        damaged = json.loads(text)
        damage(damaged, place, hostile)
        yield damaged, place
    for _ in range(len(single) if everything else SAMPLE):
        damaged = json.loads(text)
        for place, hostile in chance.sample(single, 2):
            try:
                damage(damaged, place, hostile)
            except (KeyError, IndexError, TypeError, AttributeError):
                continue  # the first damage removed the place of the second one
        yield damaged, None


@pytest.mark.timeout(0 if os.environ.get("DAMAGE") == "all" else 300)
@pytest.mark.parametrize("name", [*EXAMPLES, "run"])
def test_a_damaged_file_is_refused_by_the_name_of_the_field_or_rendered_without_harm(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "damaged.json"
    refused = rendered = 0
    for damaged, place in damages(name):
        path.write_text(json.dumps(damaged))
        try:
            results = load(path)
        except UsageError as error:
            refused += 1
            if place:
                assert_names_the_field(str(error), place)
            continue
        drawn = rendered % DRAWN == 0
        rendered += 1
        monkeypatch.setattr(rendering, "is_installed", lambda drawn=drawn: drawn)
        try:
            assert_harmless(results, drawn=drawn)
        except Exception as error:
            kept = Path(path).rename(tmp_path / "harmful.json")
            raise AssertionError(f"{place} in {kept}: {error!r}") from error
    assert refused
    assert rendered


def assert_names_the_field(message: str, place: Place) -> None:
    names = [key for key in place if isinstance(key, str)]
    # In messages, a free name such as that of a host is "[...]" or "key".
    assert any(word in message for word in (names[-1], "[...]", "`key`")), (message, place)


def assert_harmless(results: Results, *, drawn: bool) -> None:
    """All formats render the results; nothing in them is obeyed by a browser, terminal or sheet.

    ``drawn``: with charts.
    """
    without = {"png", *([] if drawn else ["svg"])}
    if isinstance(results, PoolMap):
        without.add("trace")
    reports = {
        name: str(render(results)) for name, render in FORMATS.items() if name not in without
    }
    for name in ("text", "markdown"):
        assert all(line.isprintable() for line in reports[name].split("\n")), name
    assert not re.search(r"\b(nan|inf)\b", reports["text"]), "a figure is not finite"
    prose = re.sub(r"\n(`{3,})sh\n.*\n\1\n", "\n", reports["markdown"])  # without the command
    assert not re.search(r"<|(?<!\\)(\\\\)*\]\(", prose)
    for row in csv.reader(io.StringIO(reports["csv"])):
        assert not any(re.match(r"[=@\t\r]|[-+](?![\d.])", cell) for cell in row), row
    # The library is the same in every page, and takes most of the time of the parser.
    page = Page()
    page.feed(reports["html"].replace(library(), "") if drawn else reports["html"])
    assert page.scripts <= SCRIPTS
    for element in ElementTree.fromstring(reports.get("svg", "<svg/>")).iter():
        assert element.tag.removeprefix("{http://www.w3.org/2000/svg}").lower() in TAGS
        assert not any(attribute.startswith("on") for attribute in element.attrib)
    json.dumps(view(results).figures, allow_nan=False)
    json.loads(reports.get("trace", "{}"), parse_constant=pytest.fail)


class Page(HTMLParser):
    """Fails on an element or attribute that no report has; counts the scripts."""

    scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Check one element."""
        assert tag in TAGS, tag
        self.scripts += tag == "script" and ("type", "application/json") not in attrs
        assert not any(name.startswith("on") for name, _ in attrs), attrs
