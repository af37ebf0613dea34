"""The view of a diff: the ratio of each case, and sentences on what changed."""

from collections.abc import Iterator, Sequence
from typing import Any

from poolrace.producer.analysis.comparison_summary import BASE_MODEL
from poolrace.producer.analysis.diff import CaseDiff, Diff
from poolrace.producer.analysis.diff_choices import (
    RECOMMENDED,
    Choice,
    compare_choices,
    decided_once,
)
from poolrace.producer.analysis.diff_environment import (
    Unlike,
    base_cpu_share,
    is_other_machine,
    unlike_machines,
    unlike_versions,
)
from poolrace.producer.analysis.diff_statistics import CONFIDENCE
from poolrace.producer.analysis.race_summary import BUSY_BELOW, is_busy
from poolrace.producer.reports.views.column import Column, columns
from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.files import Results
from poolrace.producer.results.race import Race

COLUMNS = (
    "case", "old", "new", "old_values", "new_values", "ratio", "ci95_from", "ci95_to",
    "time_ratio", "result",
)  # fmt: skip
"""Columns of the CSV report."""

NOT_EXACT = "NOT EXACT: a value in one of the files is wrong, see below; its times mean nothing"
"""The line of a diff of comparisons in which a run is not exact."""

MAX_NAMES = 10
"""Number of cases that one sentence names; the table has all of them."""


def summary(diff: Diff) -> str:
    """One line that says which measurements are compared."""
    return f"NEW, measured {diff.new.made_at}, compared with OLD, measured {diff.old.made_at}"


def table(diff: Diff) -> tuple[Column, ...]:
    """The table's columns."""
    unit, quantity = ("items/s", "items/s") if diff.is_rate else ("s", "time")
    return columns(
        "case", f"OLD {unit}", f"NEW {unit}", "values", f"{quantity} NEW/OLD", "95 % from", "to",
        "result", priorities=(0, 2, 2, 3, 0, 1, 1, 0),
    )  # fmt: skip


def cells(diff: Diff) -> list[tuple[str, ...]]:
    """One table row per case, in the order of ``table``."""
    return [
        (
            case.case,
            f"{case.old:.4g}",
            f"{case.new:.4g}",
            f"{case.old_values} + {case.new_values}",
            f"{case.ratio:.3f}",
            *((f"{end:.3f}" for end in case.ci95) if case.ci95 else ("-", "-")),
            case.result,
        )
        for case in diff.cases
    ]


def raw(diff: Diff) -> list[list[Any]]:
    """The figures of each case, not rounded, in the order of ``COLUMNS``."""
    return [
        [
            *(case.case, case.old, case.new, case.old_values, case.new_values, case.ratio),
            *(case.ci95 or (None, None)),
            *(case.time_ratio, case.result),
        ]
        for case in diff.cases
    ]


def confidence(diff: Diff) -> str:
    """One line that says what the words of the column ``result`` mean."""
    number = sum(case.judged for case in diff.cases)
    if not number:
        return f"no case is judged: that needs at least {diff.least} values in each file"
    return (
        f"slower, faster: shown with {100 * CONFIDENCE:g} % confidence for all {number} judged"
        f" case(s) together; same: shown to be within {_percent(diff.margin)}, with 95 % confidence"
    )


def warnings(diff: Diff) -> list[str]:
    """The differences of machines and versions, and the files measured on a busy machine."""
    old, new = diff.old.environment, diff.new.environment
    machines = unlike_machines(old, new)
    lines = [*_unlike("machines", machines), *_unlike("versions", unlike_versions(old, new))]
    if is_other_machine(old, new) and not machines:
        lines.append(
            "other machine: OLD and NEW were measured on two machines of one kind, or on one that"
            " was restarted in between"
        )
    return [*lines, *_busy(diff.old, "OLD"), *_busy(diff.new, "NEW")]


def findings(diff: Diff) -> list[str]:
    """Sentences on the cases that changed, the cases that did not, and changed choices."""
    slower, faster = diff.with_result("slower"), diff.with_result("faster")
    same, unclear = diff.with_result("same"), diff.with_result("not distinguishable")
    unjudged = [case for case in diff.cases if not case.judged]
    return [
        *([f"Slower: {with_factors(slower)}."] if slower else []),
        *([f"Faster: {with_factors(faster)}."] if faster else []),
        (
            f"Of {len(diff.cases)} case(s) {len(slower)} slower, {len(faster)} faster, {len(same)}"
            f" the same within {_percent(diff.margin)}, {len(unclear)} not distinguishable."
        ),
        *([_too_few(diff, unjudged)] if unjudged else []),
        *_choices(compare_choices(diff.old, diff.new)),
        *_decided_once(decided_once(diff.old, diff.new)),
    ]


def with_factors(cases: Sequence[CaseDiff]) -> str:
    """The cases that changed most, with their factors."""
    ordered = sorted(cases, key=lambda case: max(case.time_ratio, 1 / case.time_ratio))[::-1]
    return ", ".join(_first(list(map(factor, ordered))))


def notes(diff: Diff) -> list[str]:
    """The cases that are in one file only, or in which nothing succeeded."""
    return [
        *([f"only in OLD: {'; '.join(diff.only_old)}"] if diff.only_old else []),
        *([f"only in NEW: {'; '.join(diff.only_new)}"] if diff.only_new else []),
        *(f"not compared: {case}, where no item of a lap succeeded" for case in diff.unmeasured),
    ]


def figures(diff: Diff) -> dict[str, Any]:
    """The diff as a JSON object."""
    old, new = diff.old, diff.new
    choices = compare_choices(old, new)
    return {
        **diff.to_json(),
        "choices": [
            {"name": each.name, "old": each.old, "new": each.new, "alike": each.alike}
            for each in choices
        ],
        "machines": unlike_machines(old.environment, new.environment),
        "versions": unlike_versions(old.environment, new.environment),
        "other_machine": is_other_machine(old.environment, new.environment),
        "complete": old.complete and new.complete,
        "made_at": [old.made_at, new.made_at],
        "invocation": diff.invocation,
    }


def by_file(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """The lines of both files, each with the names of the files that have it."""
    return [
        f"{'OLD and NEW' if line in old and line in new else 'OLD' if line in old else 'NEW'}:"
        f" {line}"
        for line in dict.fromkeys([*old, *new])
    ]


def factor(case: CaseDiff) -> str:
    """How many times as long a case takes, with its name."""
    return f"{case.case} ({case.time_ratio:.2f} times as long)"


def _too_few(diff: Diff, cases: Sequence[CaseDiff]) -> str:
    few = f"{len(cases)} case(s) have fewer than {diff.least} values in a file, too few to show"
    if isinstance(diff.old, Race):
        return f"{few} a difference."
    return f"{few} a difference; measure with --repeat {diff.least} or more."


def _choices(choices: Sequence[Choice]) -> Iterator[str]:
    """Sentences on the recommendation of a race, or on the winners of a map."""
    changed = [choice for choice in choices if choice.changed]
    for choice in changed[:MAX_NAMES]:
        alike = ", which one of the files calls alike" if choice.alike else ""
        yield (
            f"Changed: {choice.name}: {choice.old or 'none'} in OLD, {choice.new or 'none'} in"
            f" NEW{alike}."
        )
    if len(changed) > MAX_NAMES:
        yield f"{len(changed) - MAX_NAMES} more choices changed."
    if choices and not changed:
        first = choices[0]
        if first.name != RECOMMENDED:
            number = f"{len(choices)} cell(s)"
            yield f"The winner is the same in all {number} that have one in both files."
        elif first.old:
            yield f"Recommended as before: {first.old}."
        else:
            yield "Neither file recommends a candidate."


def _decided_once(cells: Sequence[str]) -> Iterator[str]:
    """A sentence on the cells of two maps that have a winner in one of them only."""
    if cells:
        names = "; ".join(_first(cells))
        yield f"{len(cells)} cell(s) have a winner in one of the files only: {names}."


def _first(names: Sequence[str]) -> list[str]:
    """The first ``MAX_NAMES`` names, and the number of the others if there are any."""
    more = len(names) - MAX_NAMES
    return [*names[:MAX_NAMES], *([f"and {more} more"] if more > 0 else [])]


def _percent(share: float) -> str:
    return f"{100 * share:g} %"


def _unlike(kind: str, facts: Unlike) -> list[str]:
    if not facts:
        return []
    differences = (f"{name} {old} in OLD, {new} in NEW" for name, (old, new) in facts.items())
    return [f"unlike {kind}: {'; '.join(differences)}"]


def _busy(results: Results, name: str) -> list[str]:
    if isinstance(results, Race) and is_busy(results):
        left = f"{results.cores_left:.1f} of {results.cores} cores"
        return [f"busy machine: other processes left {left} while {name} was measured"]
    share = base_cpu_share(results) if isinstance(results, Comparison) else 1.0
    if share >= BUSY_BELOW:
        return []
    return [f"busy machine: {BASE_MODEL} had a core for {share:.0%} of its time in {name}"]
