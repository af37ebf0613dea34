"""The view of claims: a row per claim with its verdict, and a sentence why."""

from collections.abc import Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

from poolrace.producer.analysis.claim_rules import Judgement
from poolrace.producer.analysis.claim_words import middle, value_text
from poolrace.producer.analysis.claims import count_verdicts, judge
from poolrace.producer.analysis.stats import confidence_interval, spread
from poolrace.producer.reports.views.column import columns
from poolrace.producer.results.claims import Claim, Claims, Figure
from poolrace.producer.results.interpreter import Interpreter

TABLE = columns("claim", "tested on", "verdict", "measured", priorities=(0, 2, 0, 1))
"""Columns of the table."""

COLUMNS = ("claim", "interpreter", "pool", "figure", "unit", "round", "value")
"""Columns of the values as measured."""

SHOWN_FIGURES = 2
"""Number of figures in a row of the table; the sentence on the claim has more of them."""


def judgements(tested: Claims) -> list[Judgement]:
    """The verdict on each claim, with one sentence why."""
    return list(map(judge, tested.claims))


def title(tested: Claims) -> str:
    """The number of claims in one line."""
    return f"{_count(len(_names(tested)), 'claim')} about threads, processes and coroutines"


def summary(tested: Claims) -> str:
    """Numbers of claims and of rounds, the interpreters and the pool, in one line."""
    rounds = {len(figure.values) for claim in tested.claims for figure in claim.figures}
    numbers = f"{min(rounds)} to {max(rounds)}" if len(rounds) > 1 else str(*rounds or {0})
    pool = "".join(f" on pool {pool}" for pool in _pools(tested))
    interpreters = ", ".join(map(_interpreter, tested.interpreters))
    return f"{_count(len(_names(tested)), 'claim')}{pool}, {numbers} rounds, {interpreters}"


def cells(tested: Claims, judged: Sequence[Judgement]) -> list[tuple[str, ...]]:
    """One table row per claim and interpreter, in the order of ``TABLE``."""
    return [
        (claim.name, place(claim), judgement.verdict, _measured(claim))
        for claim, judgement in zip(tested.claims, judged, strict=True)
    ]


def counted(judged: Sequence[Judgement]) -> str:
    """The number of claims with each verdict, in one line."""
    numbers = count_verdicts([judgement.verdict for judgement in judged])
    left_out = numbers.pop("not tested", 0)
    tested = ", ".join(f"{verdict}: {number}" for verdict, number in numbers.items())
    others = f"; not tested, and not counted: {left_out}" if left_out else ""
    return f"{tested or 'no claim was tested'}{others}"


def findings(tested: Claims, judged: Sequence[Judgement]) -> list[str]:
    """The statement of each claim, the way it was tested, its verdicts, and one sentence why."""
    several = len({place(claim) for claim in tested.claims}) > 1
    texts: dict[str, list[str]] = {}
    for claim, judgement in zip(tested.claims, judged, strict=True):
        parts = texts.setdefault(claim.name, [f"{claim.name}: {claim.statement}", claim.method])
        parts += [_verdict(claim, judgement, several=several), judgement.because]
    return [" ".join(parts) for parts in texts.values()]


def raw(tested: Claims) -> list[list[Any]]:
    """The value of each figure in each round, in the order of ``COLUMNS``."""
    return [
        [claim.name, claim.interpreter, claim.pool, figure.name, figure.unit, number, value]
        for claim in tested.claims
        for figure in claim.figures
        for number, value in enumerate(figure.values, 1)
    ]


def figures(tested: Claims, judged: Sequence[Judgement]) -> dict[str, Any]:
    """The claims with their verdicts and derived figures as a JSON object."""
    return {
        "made_at": tested.made_at,
        "interpreters": [asdict(interpreter) for interpreter in tested.interpreters],
        "verdicts": count_verdicts([judgement.verdict for judgement in judged]),
        "claims": [
            {
                **asdict(claim),
                "figures": [_summary(figure) for figure in claim.figures],
                "verdict": judgement.verdict,
                "because": judgement.because,
            }
            for claim, judgement in zip(tested.claims, judged, strict=True)
        ],
    }


def place(claim: Claim) -> str:
    """The interpreter, and the pool if there is one, as in ``3.11 in prefork``."""
    return f"{claim.interpreter} in {claim.pool}" if claim.pool else claim.interpreter


def _verdict(claim: Claim, judgement: Judgement, *, several: bool) -> str:
    verdict = f"{judgement.verdict[:1].upper()}{judgement.verdict[1:]}"
    return f"{place(claim)}: {verdict}:" if several else f"{verdict}:"


def _measured(claim: Claim) -> str:
    """The first figures of the claim; ``-`` if it was not tested."""
    values = claim.values()
    return ", ".join(_with_spread(values, name) for name in list(values)[:SHOWN_FIGURES]) or "-"


def _with_spread(values: dict[str, list[float]], name: str) -> str:
    """The median of a figure, and half of the range of its values if that is not 0."""
    half_range = spread(values[name])
    return middle(values, name) + (f" ±{value_text(name, half_range)}" if half_range else "")


def _interpreter(interpreter: Interpreter) -> str:
    """The label of the interpreter, its version and its build."""
    facts = [
        f"{interpreter.implementation} {interpreter.version}",
        "free-threaded build" if interpreter.free_threaded else "",
        f"GIL {'on' if interpreter.gil else 'off'}",
        "JIT on" if interpreter.jit else "",
        interpreter.build_flags,
    ]
    return f"Python {interpreter.label} ({', '.join(filter(None, facts))})"


def _summary(figure: Figure) -> dict[str, Any]:
    return {
        **asdict(figure),
        "median": median(figure.values),
        "ci95": confidence_interval(figure.values),
    }


def _names(tested: Claims) -> list[str]:
    return list(dict.fromkeys(claim.name for claim in tested.claims))


def _pools(tested: Claims) -> list[str]:
    return list(dict.fromkeys(claim.pool for claim in tested.claims if claim.pool))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
