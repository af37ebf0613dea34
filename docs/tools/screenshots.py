"""Takes the pictures of reports in the documentation, and says which ones are out of date.

    python docs/tools/screenshots.py take     take the pictures of reports anew (needs Chromium)
    python docs/tools/screenshots.py keep     record that the picture of Flower was taken anew
    python docs/tools/screenshots.py check    fail if something changed that a picture shows

``docs/images/digests.json`` has a digest for each picture: of the report's page without Vega's
scripts and without images, which depend on fonts, or of Flower's version and settings.
``make screenshots`` takes the pictures.
"""

import json
import re
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

from poolrace.producer.reports.formats import html
from poolrace.producer.reports.page.figures import library
from poolrace.producer.results.files import load

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLES = ROOT / "docs" / "examples"
IMAGES = ROOT / "docs" / "images"
DIGESTS = IMAGES / "digests.json"


@dataclass(frozen=True)
class Picture:
    """A picture of the upper part of a report, up to its first chart, or of one chart."""

    sample: str
    chart: str = ""
    """Name of the chart, if the picture shows nothing else."""
    width: int = 1000
    """Pixels of CSS of the window's width."""
    scheme: Literal["light", "dark"] = "light"


PICTURES = {
    "compare": Picture("compare"),
    "scale": Picture("scale"),
    "race": Picture("race"),
    "map": Picture("map"),
    "timeline": Picture("compare", chart="timeline-2"),
    "compare-dark": Picture("compare", scheme="dark"),
    "race-phone": Picture("race", width=390),
}
"""File name without ending -> the picture."""

_NOT_IN_DIGESTS = re.compile(r"<svg.*?</svg>|<meta http-equiv[^>]*>", re.DOTALL)


def take() -> None:
    """Take the pictures of all reports, and keep the digests of their pages."""
    from tests.cluster.browser import chromium  # noqa: PLC0415 # needs the root on the path

    with chromium() as browser:
        for name, picture in PICTURES.items():
            page = browser.new_page(
                viewport={"width": picture.width, "height": 800}, color_scheme=picture.scheme
            )
            page.set_content(_page(picture.sample))
            charts = page.locator("figure.chart").count()
            page.wait_for_function(f"document.querySelectorAll('.running').length == {charts}")
            path = IMAGES / f"{name}.png"
            if picture.chart:
                page.locator(f"#chart-{picture.chart}").screenshot(path=path)
            else:
                box = page.locator("figure").first.bounding_box()
                if box is None:
                    raise LookupError(f"the page of {picture.sample} has no chart")
                height = box["y"] + box["height"] + 20
                page.screenshot(
                    path=path,
                    full_page=True,
                    clip={"x": 0, "y": 0, "width": picture.width, "height": height},
                )
            page.close()
    _keep(*PICTURES)


def stale() -> list[str]:
    """Names of the pictures that do not show the present state."""
    kept = json.loads(DIGESTS.read_text())
    return [
        name
        for name in (*PICTURES, "flower")
        if kept.get(name) != _digest(name) or not (IMAGES / f"{name}.png").exists()
    ]


def main(arguments: list[str]) -> None:
    """Take, keep or check, as the argument says."""
    if arguments == ["take"]:
        take()
    elif arguments == ["keep"]:
        _keep("flower")
    elif arguments == ["check"]:
        if names := stale():
            sys.exit(f"pictures show an older state: {', '.join(names)}; run make screenshots")
    else:
        sys.exit(__doc__)


def _keep(*names: str) -> None:
    kept = json.loads(DIGESTS.read_text()) if DIGESTS.exists() else {}
    kept |= {name: _digest(name) for name in names}
    DIGESTS.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")


def _digest(name: str) -> str:
    shown = _page(PICTURES[name].sample) if name in PICTURES else _flower()
    shown = _NOT_IN_DIGESTS.sub("", shown.replace(library(), ""))
    return sha256(shown.encode()).hexdigest()


def _page(sample: str) -> str:
    return html.render(load(EXAMPLES / f"{sample}.json"))


def _flower() -> str:
    """Flower's version, and its settings in containers."""
    lock = (ROOT / "deploy" / "requirements.lock").read_text()
    settings = (ROOT / "docker-compose.yml").read_text()
    found = re.findall(r"^flower==\S+", lock, re.MULTILINE)
    return "\n".join(found + re.findall(r"FLOWER_[A-Z_]+: .*", settings))


if __name__ == "__main__":
    main(sys.argv[1:])
