"""The rules of verdicts on claims: from the figures of each round to an answer. Pure.

A difference counts as one by the same tests as in a race: more than 10 % with 99 % confidence. So
times and sizes that differ less neither show nor refute "less than" and "more than"; counts that do
not differ refute them, because they are exact.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from poolrace.producer.analysis.claim_words import (
    Figures,
    as_sentence,
    label,
    middle,
    ratio_text,
    ratios,
)
from poolrace.producer.analysis.significance import (
    MARGIN,
    MIN_ROUNDS,
    PairedResult,
    compare_paired,
)
from poolrace.producer.analysis.stats import confidence_interval
from poolrace.producer.results.claims import Verdict


@dataclass(frozen=True)
class Answer:
    """The answer of the figures to one part of a claim, and the sentence part that says why."""

    true: bool | None
    """Whether this part is true; ``None`` if the figures do not decide it."""
    text: str


@dataclass(frozen=True)
class Judgement:
    """The verdict on a claim, and one sentence why."""

    verdict: Verdict
    because: str


Part = Callable[[Figures], Answer]
"""A part of a claim: from the figures to an answer."""

Rule = Callable[[Figures], Judgement]
"""The rule of a claim: from the figures to a verdict."""

LEAST_SHARE = 0.85
"""Share of a core that a computing thread must have; on a quiet machine it is 0.98 and more."""


def all_of(*parts: Part) -> Rule:
    """The rule of a claim that holds if all of its parts are true."""

    def verdict_of(truths: set[bool | None]) -> Verdict:
        if truths == {True}:
            return "holds"
        if truths >= {True, False}:
            return "depends on"
        return "does not hold" if False in truths else "not distinguishable"

    return _rule(parts, verdict_of)


def any_of(*parts: Part) -> Rule:
    """The rule of a claim that something *can* happen: it depends if it happens in some cases."""

    def verdict_of(truths: set[bool | None]) -> Verdict:
        if truths == {True}:
            return "holds"
        if True in truths:
            return "depends on"
        return "does not hold" if truths == {False} else "not distinguishable"

    return _rule(parts, verdict_of)


def _rule(parts: Sequence[Part], verdict_of: Callable[[set[bool | None]], Verdict]) -> Rule:
    def judge(figures: Figures) -> Judgement:
        answers = [part(figures) for part in parts]
        return Judgement(verdict_of({answer.true for answer in answers}), _sentence(answers))

    return judge


def unless_busy(rule: Rule, cpu: str, elapsed: str) -> Rule:
    """The rule, but no verdict if other programs took the cores from a thread that computes.

    CPU time over elapsed time is the share of a core that the thread had.
    """

    def judge(figures: Figures) -> Judgement:
        judgement = rule(figures)
        shares = ratios(figures[cpu], figures[elapsed])
        if not shares or median(shares) >= LEAST_SHARE:
            return judgement
        had = f"{label(elapsed)} had {ratio_text(shares)} of a core, because other programs ran"
        return Judgement("not distinguishable", as_sentence(f"{had}; {judgement.because}"))

    return judge


def less(name: str, *others: str, beyond: str = "") -> tuple[Part, ...]:
    """Parts that are true if the values of the figure are smaller than those of each other one.

    The values of ``beyond``, a part of what was measured, are subtracted from both.
    """
    return tuple(_larger(other, name, beyond) for other in others)


def more(name: str, *others: str) -> tuple[Part, ...]:
    """Parts that are true if the values of the figure are larger than those of each other one."""
    return tuple(_larger(name, other) for other in others)


def not_less(name: str, other: str) -> Part:
    """A part that is true if the values of the figure are not smaller by more than the margin."""

    def answer(figures: Figures) -> Answer:
        is_less = _is_larger_by_margin(figures[other], figures[name])
        true = None if is_less is None else not is_less
        return Answer(true, f"{_against(figures, name, other)}{_doubt(true, figures, name, other)}")

    return answer


def not_more(name: str, other: str) -> Part:
    """A part that is true if the values of the figure are not larger by more than the margin."""

    def answer(figures: Figures) -> Answer:
        true = not_less(other, name)(figures).true
        return Answer(true, f"{_against(figures, name, other)}{_doubt(true, figures, name, other)}")

    return answer


def more_than_one_core(cpu: str, elapsed: str, *, expected: bool) -> Part:
    """A part on the cores in use: CPU time over elapsed time.

    True if that is more than one core, or, if that is not ``expected``, no more than one.
    """

    def answer(figures: Figures) -> Answer:
        if expected:
            true = _is_larger_by_margin(figures[cpu], figures[elapsed])
        else:
            true = not_more(cpu, elapsed)(figures).true
        used = ratio_text(ratios(figures[cpu], figures[elapsed]) or [0.0])
        doubt = _doubt(true, figures, cpu, elapsed)
        return Answer(true, f"{label(elapsed)} used {used} cores{doubt}")

    return answer


def each_round(condition: Callable[..., bool], *names: str, told: Sequence[str] = ()) -> Part:
    """A part that is true if the condition on these figures is true in each round.

    The answer also tells the figures in ``told``.
    """

    def answer(figures: Figures) -> Answer:
        rounds = list(zip(*(figures[name] for name in names), strict=False))
        true = [condition(*values) for values in rounds]
        text = ", ".join(middle(figures, name) for name in (*names, *told))
        if all(true) or not any(true):
            return Answer(all(true), text)
        return Answer(None, f"{text}; so in {sum(true)} of {len(true)} rounds")

    return answer


def _larger(name: str, other: str, beyond: str = "") -> Part:
    def answer(measured: Figures) -> Answer:
        figures = _without(measured, beyond, name, other) if beyond else measured
        values, others = _comparable(figures, name, other)
        if _are_counts(name, other):
            true = _is_larger_by_margin(values, others)
        else:
            true = _TRUTHS[compare_paired(values, others)]
        text = f"{_against(figures, name, other)}{_doubt(true, figures, name, other)}"
        return Answer(
            true, f"{text}; subtracted from both: {middle(measured, beyond)}" if beyond else text
        )

    return answer


_TRUTHS: dict[PairedResult, bool | None] = {
    PairedResult.FASTER: True, PairedResult.SLOWER: False,
    PairedResult.EQUIVALENT: None, PairedResult.UNDECIDED: None,
}  # fmt: skip
"""Result of comparing two figures -> whether the first one is larger; ``None``: not decided."""


def _is_larger_by_margin(values: Sequence[float], others: Sequence[float]) -> bool | None:
    """Whether the values are larger by more than the margin; ``None`` if that is not decided.

    It is decided, too, if the 95 % interval of the ratio ends below the margin.
    """
    true = _TRUTHS[compare_paired(values, others)]
    interval = confidence_interval(ratios(values, others))
    return False if true is None and interval and interval[1] < 1 + MARGIN else true


def _without(figures: Figures, part: str, *names: str) -> Figures:
    """These figures less the values of a part of them in the same round."""
    return {
        name: [
            max(0.0, whole - of_part)
            for whole, of_part in zip(figures[name], figures[part], strict=False)
        ]
        for name in names
    }


def _comparable(figures: Figures, *names: str) -> list[list[float]]:
    """The values of these figures, by which two counts of 0, or of 0 and 1, do not differ.

    A time that is no longer than what was subtracted from it is 0, and compares with nothing.
    """
    rounds = list(zip(*(figures[name] for name in names), strict=False))
    if _are_counts(*names):
        rounds = [tuple(value + 1 for value in values) for values in rounds]
    kept = [values for values in rounds if min(values) > 0]
    return [[values[place] for values in kept] for place in range(len(names))]


def _are_counts(*names: str) -> bool:
    """Whether these figures are counts."""
    return all(name.endswith("_count") for name in names)


def _against(figures: Figures, name: str, other: str) -> str:
    """The first figure as a multiple of the other one."""
    both = f"{middle(figures, name)} against {middle(figures, other)}"
    quotients = ratios(figures[name], figures[other])
    return f"{both}: {ratio_text(quotients)} times as much" if quotients else both


def _doubt(true: bool | None, figures: Figures, name: str, other: str) -> str:  # noqa: FBT001
    """The reason why two figures do not decide; empty if they do."""
    if true is not None:
        return ""
    values, others = _comparable(figures, name, other)
    if len(values) < MIN_ROUNDS:
        return f", of fewer than {MIN_ROUNDS} rounds"
    if compare_paired(values, others) is PairedResult.EQUIVALENT:
        return f", which is no difference of more than {MARGIN:.0%}"
    return f", not enough to tell a difference of more than {MARGIN:.0%} with 99% confidence"


def _sentence(answers: Sequence[Answer]) -> str:
    return as_sentence("; ".join(answer.text for answer in answers))
