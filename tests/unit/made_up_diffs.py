"""Made-up results to compare: pairs of samples of one thing, and results with chosen times."""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.files import load

EXAMPLES = Path(__file__).parent.parent.parent / "tests" / "data" / "results"

Noise = Callable[[random.Random], float]
"""Draws the noise of one run, as the logarithm of a factor on its time."""

Pair = tuple[list[float], list[float]]


def normal(sd: float) -> Noise:
    return lambda draw: draw.gauss(0, sd)


def heavy_tailed(sd: float) -> Noise:
    """Student's t with three degrees of freedom: rare values are far off."""
    return lambda draw: draw.gauss(0, sd) / math.sqrt(draw.gammavariate(1.5, 2) / 3)


def disturbed(sd: float) -> Noise:
    """Every tenth run is disturbed, and takes half as long again on average."""
    return lambda draw: (
        draw.gauss(0, sd) + (math.log1p(draw.expovariate(2)) if draw.random() < 0.1 else 0)
    )


def pairs(
    draw: random.Random,
    cases: int,
    repeat: int,
    noise: Noise,
    restart_sd: float = 0.03,
    slower: float = 1.0,
) -> list[Pair]:
    """Times of each case in two files; the workers were started anew for each of the files."""

    def sample(factor: float) -> list[float]:
        restarted = draw.gauss(0, restart_sd)
        return [factor * math.exp(restarted + noise(draw)) for _ in range(repeat)]

    return [(sample(2.0), sample(2.0 * slower)) for _ in range(cases)]


def compared(times: Mapping[str, Sequence[float]], **fields: object) -> Comparison:
    """The sample comparison of the documentation, with these times of these models."""
    sample = load(EXAMPLES / "compare.json")
    assert isinstance(sample, Comparison)
    run = replace(sample.runs[0], slots=2)
    runs = tuple(
        replace(run, model=model, elapsed_s=elapsed_s)
        for model, seconds in times.items()
        for elapsed_s in seconds
    )
    return replace(sample, runs=runs, **fields)  # type: ignore[arg-type] # fields of a comparison


def on_machine(comparison: Comparison, **facts: object) -> Comparison:
    """The comparison, measured on a machine with these facts."""
    host = comparison.environment.hosts[0]
    other = replace(host, **facts)  # type: ignore[arg-type] # fields of the facts
    return replace(comparison, environment=replace(comparison.environment, hosts=[other]))
