"""The pictures in the documents show the reports and Flower as they are now."""

import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.docs.pages import DOCS, PAGES, ROOT

MAX_BYTES = 200_000


@pytest.fixture
def screenshots() -> Iterator[ModuleType]:
    """The tool that takes the pictures."""
    spec = importlib.util.spec_from_file_location("screenshots", DOCS / "tools" / "screenshots.py")
    assert spec
    assert spec.loader
    tool = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = tool
    spec.loader.exec_module(tool)
    yield tool
    del sys.modules[spec.name]


def test_no_picture_is_older_than_the_code_that_draws_it(screenshots: ModuleType) -> None:
    assert screenshots.stale() == [], "run make screenshots; for flower: make screenshots FLOWER=1"


def test_a_change_of_a_chart_a_style_or_a_result_makes_a_picture_stale(
    screenshots: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = screenshots._digest("map")
    page = screenshots._page("map")
    for old in ('"mark":', "border-radius", "prefork"):
        assert old in page
        changed = page.replace(old, "changed", 1)
        monkeypatch.setattr(screenshots, "_page", lambda _, changed=changed: changed)
        assert screenshots._digest("map") != before, old


def test_every_picture_is_small_and_shown_in_a_document(screenshots: ModuleType) -> None:
    shown = {
        Path(target).name
        for page in PAGES
        for target in re.findall(r"!\[[^]]+\]\(([^)]+\.png)\)", page.read_text())
    }
    for name in (*screenshots.PICTURES, "flower"):
        assert (ROOT / "docs" / "images" / f"{name}.png").stat().st_size <= MAX_BYTES, name
        assert f"{name}.png" in shown
