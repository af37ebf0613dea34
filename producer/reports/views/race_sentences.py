"""Sentences of the report of a race. ``race_cases`` says when each of them is printed."""

from collections.abc import Iterator

from poolrace.producer.analysis.race_gaps import ENDED, because, enough_s
from poolrace.producer.analysis.race_hints import MOST
from poolrace.producer.analysis.race_limit import RULES
from poolrace.producer.analysis.race_summary import CandidateSummary
from poolrace.producer.analysis.race_verdict import Verdict
from poolrace.producer.analysis.significance import MARGIN, MIN_ROUNDS
from poolrace.producer.results.interruption import Interruption

RUN = "Run: "
"""Beginning of the sentence that ends with the command that starts workers."""

EXECUTIONS_FACTOR = 2
"""Ratio of the number of executions that is proposed to the one that was used up."""

LEAST_EXECUTIONS = 2000
"""Number of executions that is proposed, at least: most races take 500 to 5,000."""

INTERRUPTIONS: dict[Interruption, str] = {
    "interrupted": "the race was interrupted",
    "cluster lost": "the connection to Redis was lost",
    "failed": "the race failed",
}
"""Sentence part that names an interruption."""


def no_verdict(_: Verdict) -> Iterator[str]:
    """The proof of a race that compared nothing."""
    yield "incomplete: there is no verdict, because no candidates were compared"


def compared_with_none(verdict: Verdict) -> Iterator[str]:
    """The proof of a race of one candidate."""
    yield f"{verdict.fastest.candidate} was compared with no other candidate"


def too_few_rounds(verdict: Verdict) -> Iterator[str]:
    """The proof of a race whose finals ended early."""
    yield (
        f"incomplete: {verdict.gaps.rounds} interleaved round(s) are too few to tell"
        f" {verdict.fastest.candidate} from {_names(verdict.tied)}"
    )


def not_distinguishable(verdict: Verdict) -> Iterator[str]:
    """The proof of a race whose fastest candidate is tied."""
    yield (
        f"not distinguishable from {verdict.fastest.candidate} in {_rounds(verdict)} interleaved"
        f" round(s): {_names(verdict.tied)}"
    )


def not_raced_to_the_end(verdict: Verdict) -> Iterator[str]:
    """The proof of an incomplete race whose finalists differ."""
    missing = [*verdict.gaps.never_measured, *verdict.gaps.unfinished]
    yield f"incomplete: {', '.join(missing) or 'the finals'} could not be raced to the end"


def distinguishable(verdict: Verdict) -> Iterator[str]:
    """The proof of a complete race whose fastest candidate differs from all other ones."""
    yield f"distinguishable: judged by {_rounds(verdict)} interleaved round(s) of the finalists"


def nothing_recommended(_: Verdict) -> Iterator[str]:
    """The answer of a race that compared nothing."""
    yield "Nothing is recommended, because no two candidates were compared."


def speed_alone(verdict: Verdict) -> Iterator[str]:
    """The answer of a race of one candidate."""
    best = verdict.fastest
    yield (
        f"{best.candidate} reached {best.items_per_s:.4g} items/s;"
        " no other candidate was raced to the end."
    )


def most_in_few_rounds(verdict: Verdict) -> Iterator[str]:
    """The answer of a race whose finals ended early."""
    best = verdict.fastest
    yield (
        f"{best.candidate} reached the most so far, {best.items_per_s:.4g} items/s, but"
        f" {verdict.gaps.rounds} round(s) are too few to call it the fastest."
    )


def as_fast_as(verdict: Verdict) -> Iterator[str]:
    """The answer of a race whose fastest candidate is tied."""
    best = verdict.fastest
    clear = verdict.complete and verdict.pool_is_clear
    pool = f": {best.candidate.pool} is the fastest pool" if clear else ""
    rows = [best, *verdict.tied]
    if min(row.items_per_s for row in rows) >= (1 - MARGIN) * best.items_per_s:
        speeds = f"at about {best.items_per_s:.4g} items/s"
    else:
        speeds = f"at {', '.join(f'{row.items_per_s:.4g}' for row in rows)} items/s"
    yield f"{_names(rows, ' and ')} are not distinguishable, {speeds}{pool}."


def most_so_far(verdict: Verdict) -> Iterator[str]:
    """The answer of an incomplete race whose finalists differ."""
    best = verdict.fastest
    yield (
        f"{best.candidate} reached the most so far: {best.items_per_s:.4g} items/s{_lead(verdict)}."
    )


def fastest(verdict: Verdict) -> Iterator[str]:
    """The answer of a complete race whose finalists differ."""
    best = verdict.fastest
    yield f"{best.candidate} is the fastest: {best.items_per_s:.4g} items/s{_lead(verdict)}."


def gaps(verdict: Verdict) -> Iterator[str]:
    """Sentences that say what was not compared, why, and which budget may be enough."""
    race, missing = verdict.race, verdict.gaps
    reasons = [INTERRUPTIONS[race.interruption]] if race.interruption else []
    reasons += [
        f"{name} was not measured, because {because(race, name, reason)}"
        for name, reason in missing.never_measured.items()
    ]
    for pool, reason in missing.unfinished.items():
        ratio = verdict.pools[pool].could_be_faster if pool in verdict.pools else None
        times = f"{ratio:.1f} times as fast" if ratio else "faster"
        reasons.append(f"{pool} may be {times} with more slots or workers, but {ENDED[reason]}")
    if missing.rounds == 0:
        reasons.append("no two candidates ran in the same round")
    elif missing.rounds is not None:
        reasons.append(f"the finals had {missing.rounds} of at least {MIN_ROUNDS} rounds")
    yield f"Incomplete: {'; '.join(reasons)}."
    too_few_rounds = missing.rounds is not None and not race.interruption
    out_of_time = "time" in missing.reasons or (
        too_few_rounds and "executions" not in missing.reasons
    )
    if race.budget_s and out_of_time:
        yield f"Race again with more time: --budget-s {enough_s(race, missing):.0f}"
    if "executions" in missing.reasons:
        number = max(LEAST_EXECUTIONS, EXECUTIONS_FACTOR * race.executions)
        yield f"Race again with more executions: --max-executions {number}"


def limit(verdict: Verdict) -> Iterator[str]:
    """Sentence that names the limit."""
    yield RULES[verdict.limited_by].sentence


def idle_cores(_: Verdict) -> Iterator[str]:
    """Sentence that names the limit of a task that computes in fewer slots than there are cores."""
    yield "Limited by the CPU: the task computes, and there are fewer slots than cores."


def saturated_service(verdict: Verdict) -> Iterator[str]:
    """Sentences that name the service as the limit, with its figures."""
    yield from limit(verdict)
    if service := verdict.saturation:
        yield (
            f"Throughput stays at about {service.items_per_s:.4g} items/s from {service.slots}"
            " slots on, although the workers do not need all cores."
        )


def blocked(verdict: Verdict) -> Iterator[str]:
    """A warning for each candidate whose greenlets block."""
    for row in verdict.blocking:
        yield (
            f"Warning: under {row.candidate} only {row.overlap:.1f} item(s) ran at a time, although"
            f" the task waits {verdict.waiting_share:.0%} of its time: it blocks in a call that"
            " gevent cannot patch."
        )


def busy(verdict: Verdict) -> Iterator[str]:
    """Sentence about other processes on the machine."""
    yield (
        f"The machine was busy: other processes left {verdict.race.cores_left:.1f} of"
        f" {verdict.race.cores} cores free. More slots only take cores from those processes, so"
        " the best number of slots is not known. Race again on a quiet machine."
    )


def failed(verdict: Verdict) -> Iterator[str]:
    """Sentences about failed items: under the fastest candidate, and where most items failed."""
    failing = [row for row in verdict.summaries if row.failures]
    for row in failing[:1] + [row for row in failing[1:] if row.failed_share > MOST]:
        kinds = ", ".join(f"{name} ({number})" for name, number in row.failures.most_common())
        yield f"{row.failed_share:.1%} of the items failed under {row.candidate}: {kinds}."
        name = str(row.candidate)
        if name in verdict.race.failures and name not in verdict.race.left_out:
            yield f"{verdict.race.failures[name]}."


def change(verdict: Verdict) -> Iterator[str]:
    """Sentence that says what would raise throughput, and what would not."""
    helps, does_not_help = verdict.advice.helps, verdict.advice.does_not_help
    if not helps:
        return
    *more, last = helps
    text = f"{', '.join(more)}, or {last}," if more else last
    besides = f"; {' and '.join(does_not_help)} would not" if does_not_help else ""
    yield f"{text[0].upper()}{text[1:]} would raise throughput{besides}."


def command(verdict: Verdict) -> Iterator[str]:
    """The command that starts the recommended workers, and their settings."""
    yield f"{RUN}{verdict.worker_command}"
    settings = ", ".join(f"{name} = {value!r}" for name, value in verdict.settings.items())
    workers = verdict.recommended.candidate.workers
    each = f", for each of the {workers} worker processes" if workers > 1 else ""
    yield f"In the app: {settings}{each}"


def _names(rows: list[CandidateSummary], last: str = ", ") -> str:
    """The candidates' names, with ``last`` before the last one."""
    *names, final = (str(row.candidate) for row in rows)
    return last.join([", ".join(names), final]) if names else final


def _rounds(verdict: Verdict) -> int:
    return max((lap.round for lap in verdict.race.laps if lap.kind == "final"), default=0)


def _lead(verdict: Verdict) -> str:
    """Sentence part about the lead over the next finalist, if there is one."""
    best, finalists = verdict.fastest, verdict.race.finalists
    behind = [
        row
        for row in verdict.summaries
        if row.candidate in finalists and row != best and 0 < row.items_per_s <= best.items_per_s
    ]
    if not behind:
        return ""
    ratio = best.items_per_s / max(behind[0].items_per_s, 1e-9)
    return f", {ratio:.2f} times as fast as {behind[0].candidate}, the next finalist"
