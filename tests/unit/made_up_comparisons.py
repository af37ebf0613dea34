"""Made-up comparisons of each kind, for tests of charts; nothing is measured."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from poolrace.producer.results.comparison import Comparison, Varies
from poolrace.producer.results.files import load

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "tests" / "data" / "results"
"""Folder of stored results: real measurements."""


@cache
def example(name: str) -> Comparison:
    """The stored comparison of this name."""
    stored = load(EXAMPLES / f"{name}.json")
    assert isinstance(stored, Comparison)
    return stored


def compared(times: Mapping[str, Sequence[float]]) -> Comparison:
    """A comparison of models; the runs of each took these seconds."""
    first = example("compare")
    runs = [
        replace(first.runs[0], model=model, elapsed_s=elapsed_s)
        for model, seconds in times.items()
        for elapsed_s in seconds
    ]
    return replace(first, runs=tuple(runs))


def series(varies: Varies, times: Mapping[int, Sequence[float]]) -> Comparison:
    """A sweep or a scaling series; the runs with each number took these seconds."""
    first = example("sweep" if varies == "chunks" else "scale")
    runs = [
        replace(first.runs[0], **{varies: number}, elapsed_s=elapsed_s)  # type: ignore[arg-type] # one of its fields
        for number, seconds in times.items()
        for elapsed_s in seconds
    ]
    return replace(first, varies=varies, runs=tuple(runs))
