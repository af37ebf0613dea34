"""Sentences on other interpreters: their facts, the price of one thread, and what threads gain."""

from collections.abc import Iterable, Iterator

from poolrace.producer.analysis.comparison_summary import CaseSummary, within_spread
from poolrace.producer.results.environment import Environment
from poolrace.producer.results.interpreter import Interpreter

BASE_NAME = "local:single"
"""Model of one thread, which the other models of an interpreter are compared with."""

PARALLEL = ("local:threads", "local:interpreters", "local:processes")
"""Models whose speed-up over one thread depends on the interpreter."""


def lines(environment: Environment) -> list[str]:
    """One line of facts per other interpreter."""
    return [f"{each.label}: {facts(each)}" for each in environment.interpreters]


def facts(interpreter: Interpreter) -> str:
    """Version, GIL, JIT, architecture, path and build flags of an interpreter."""
    build = " free-threaded" if interpreter.free_threaded else ""
    gil = "on" if interpreter.gil else "off"
    jit = {True: "on", False: "off", None: "not known"}[interpreter.jit]
    flags = f", built with {interpreter.build_flags}" if interpreter.build_flags else ""
    return (
        f"{interpreter.implementation} {interpreter.version}{build}, GIL {gil}, JIT {jit},"
        f" {interpreter.architecture}, {interpreter.path}{flags}"
    )


def left_out(models: dict[str, str]) -> list[str]:
    """One sentence per model that could not run."""
    return [f"{model} was left out, because {why}" for model, why in models.items()]


def findings(cases: Iterable[CaseSummary], interpreters: Iterable[Interpreter]) -> list[str]:
    """The price of one thread under each interpreter, and the speed-up of the other models."""
    by_model = {case.model: case for case in cases}
    bases = {
        each: by_model[name]
        for each in interpreters
        if (name := f"{BASE_NAME} @ {each.label}") in by_model
    }
    return [*_price(bases), *_speed_ups(bases, by_model)]


def _price(bases: dict[Interpreter, CaseSummary]) -> Iterator[str]:
    """How long one thread takes under each interpreter, against the fastest of them."""
    if len(bases) < 2:
        return
    fastest, base = min(bases.items(), key=lambda entry: entry[1].elapsed_s)
    others = [
        f"under {each.label} not distinguishable from it"
        if within_spread(case, base)
        else f"{case.elapsed_s / base.elapsed_s:.2f} times as long under {each.label}"
        for each, case in bases.items()
        if each is not fastest
    ]
    yield f"One thread was fastest under {fastest.label}; it took {', '.join(others)}."


def _speed_ups(
    bases: dict[Interpreter, CaseSummary], by_model: dict[str, CaseSummary]
) -> Iterator[str]:
    """The speed-up of each model over one thread of the same interpreter."""
    for interpreter, base in bases.items():
        gains = [
            f"{name.partition(':')[2]} {base.elapsed_s / case.elapsed_s:.2f}x on"
            f" {case.slots} slot(s)"
            for name in PARALLEL
            if (case := by_model.get(f"{name} @ {interpreter.label}"))
        ]
        if gains:
            gil = "on" if interpreter.gil else "off"
            yield f"Over one thread under {interpreter.label} (GIL {gil}): {', '.join(gains)}."
