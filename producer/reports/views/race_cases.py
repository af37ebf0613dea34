"""The table of cases: which sentences the report of a race prints, and when.

Within a topic the first row that holds gives the sentences, so two rows of one topic never stand
together. A claim belongs to one topic only: only ``change`` and ``load`` speak of more slots, and
``load`` holds on a busy machine, where the advice of the verdict says nothing about slots.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from poolrace.producer.analysis.race_verdict import Verdict
from poolrace.producer.reports.views import race_recommendation as recommend
from poolrace.producer.reports.views import race_sentences as say
from poolrace.producer.reports.views.race_hints import hints, pool_setting

Topic = Literal[
    "proof", "answer", "gaps", "first row", "cheapest", "recommended", "frugal", "limit",
    "warnings", "load", "failures", "change", "command",
]  # fmt: skip
"""Subject of sentences: each claim of a report belongs to one topic."""


@dataclass(frozen=True)
class Case:
    """One row of the table: a condition, and the sentences that are printed if it holds."""

    topic: Topic
    holds: Callable[[Verdict], object]
    sentences: Callable[[Verdict], Iterable[str]]


def proof(verdict: Verdict) -> str:
    """One line that says whether the fastest candidate is distinguishable from all other ones."""
    return "".join(_sentences("proof", verdict))


def findings(verdict: Verdict) -> list[str]:
    """Sentences of the report, from the answer to its reasons."""
    topics = list(dict.fromkeys(case.topic for case in CASES))
    topics.remove("proof")
    return [sentence for topic in topics for sentence in _sentences(topic, verdict)]


def _sentences(topic: Topic, verdict: Verdict) -> list[str]:
    rows = (case for case in CASES if case.topic == topic and case.holds(verdict))
    first = next(rows, None)
    return list(first.sentences(verdict)) if first else []


def _always(_: Verdict) -> bool:
    return True


def _nothing(_: Verdict) -> Iterable[str]:
    return ()


def _is_inconclusive(verdict: Verdict) -> bool:
    return not verdict.conclusive


def _is_alone(verdict: Verdict) -> bool:
    return not verdict.compared


def _is_incomplete(verdict: Verdict) -> bool:
    return not verdict.complete


def _is_tied(verdict: Verdict) -> bool:
    return bool(verdict.tied)


def _is_tied_after_few_rounds(verdict: Verdict) -> bool:
    return bool(verdict.tied) and verdict.gaps.rounds is not None


def _exceeds_memory(verdict: Verdict) -> bool:
    first = verdict.summaries[0]
    over = first.peak_memory_bytes > verdict.race.max_memory_bytes
    return over and first != verdict.fastest


def _first_was_not_in_finals(verdict: Verdict) -> bool:
    first = verdict.summaries[0]
    return first != verdict.fastest and first.candidate not in verdict.race.finalists


def _fastest_grows(verdict: Verdict) -> bool:
    return verdict.fastest.candidate in verdict.growing


def _recommends_another(verdict: Verdict) -> bool:
    """Whether the recommended candidate was not yet named as the fastest or the cheapest."""
    return verdict.recommended not in (verdict.fastest, verdict.cheapest)


def _should_be_faster(verdict: Verdict) -> bool:
    """Whether the recommended candidate needs more than the fastest one."""
    recommended, best = verdict.recommended, verdict.fastest
    return (
        recommended.candidate.slots > best.candidate.slots
        and recommended.peak_memory_bytes > best.peak_memory_bytes
    )


def _recommends_more_memory(verdict: Verdict) -> bool:
    """Whether another candidate was named as the one with the least memory."""
    return verdict.cheapest not in (None, verdict.recommended)


CASES = (
    Case("proof", _is_inconclusive, say.no_verdict),
    Case("proof", _is_alone, say.compared_with_none),
    Case("proof", _is_tied_after_few_rounds, say.too_few_rounds),
    Case("proof", _is_tied, say.not_distinguishable),
    Case("proof", _is_incomplete, say.not_raced_to_the_end),
    Case("proof", _always, say.distinguishable),
    Case("answer", _is_inconclusive, say.nothing_recommended),
    Case("answer", _is_alone, say.speed_alone),
    Case("answer", _is_tied_after_few_rounds, say.most_in_few_rounds),
    Case("answer", _is_tied, say.as_fast_as),
    Case("answer", _is_incomplete, say.most_so_far),
    Case("answer", _always, say.fastest),
    Case("gaps", _is_incomplete, say.gaps),
    Case("first row", _is_inconclusive, _nothing),
    Case("first row", _exceeds_memory, recommend.over_memory),
    Case("first row", _first_was_not_in_finals, recommend.not_in_finals),
    Case("cheapest", _is_alone, _nothing),
    Case("cheapest", lambda verdict: verdict.cheapest is None, _nothing),
    Case(
        "cheapest",
        lambda verdict: verdict.cheapest != verdict.fastest,
        recommend.another_is_cheapest,
    ),
    Case("cheapest", recommend.lighter, recommend.lighter_may_be_slower),
    Case("cheapest", _always, recommend.fastest_is_cheapest),
    Case("recommended", _is_inconclusive, _nothing),
    Case("recommended", _fastest_grows, _nothing),  # the warning about memory names it
    Case("recommended", _should_be_faster, recommend.recommended_by_model),
    Case("recommended", _recommends_another, recommend.another_is_recommended),
    Case("recommended", _is_incomplete, recommend.recommended_with_reservation),
    Case("recommended", _recommends_more_memory, recommend.recommended_in_spite_of_memory),
    Case("frugal", _is_inconclusive, _nothing),
    Case("frugal", _always, recommend.frugal),
    Case("limit", _is_inconclusive, _nothing),
    Case("limit", lambda verdict: verdict.limited_by == "service", say.saturated_service),
    Case("limit", lambda verdict: verdict.has_idle_cores, say.idle_cores),
    Case("limit", _always, say.limit),
    Case("warnings", _always, lambda verdict: (*say.blocked(verdict), *hints(verdict))),
    Case("load", lambda verdict: verdict.busy_machine, say.busy),
    Case("failures", _always, say.failed),
    Case("change", _is_inconclusive, _nothing),
    Case("change", _always, say.change),
    Case("command", _is_inconclusive, _nothing),
    Case("command", _always, lambda verdict: (*pool_setting(verdict), *say.command(verdict))),
)
"""All cases, by topic in the order of the report."""
