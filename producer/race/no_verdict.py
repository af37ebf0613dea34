"""The errors of a race in which nothing could be measured. Pure."""

from collections.abc import Mapping, Sequence

from poolrace.producer.analysis.race_summary import count_failures
from poolrace.producer.errors import AllFailed, JobFailed
from poolrace.producer.race.options import RaceOptions
from poolrace.producer.race.requests import Progress
from poolrace.producer.results.race import Lap, Reason

FAILED = "failed:"
"""Word between a candidate and the error that its task raised."""

ENDED = "ended:"
"""Word between a candidate and the reason why its workers ended."""

NOT_RUN = "which a race does not run"
"""Words after the names of tasks that the raced task sends."""

NO_DURATION = "none took any time, so the task seems to set the clock of its worker"
"""Reason why all items failed although no item raised an error."""


def base_error(
    options: RaceOptions, progress: Progress, *, gave_up: bool = False, ready: bool = True
) -> JobFailed:
    """The error of a task of which no item succeeded although one ran at a time.

    ``gave_up``: the time budget was used up. ``ready``: the worker had begun to run items by then.
    """
    task = options.target.task
    reasons = _reasons(progress)
    if not progress.executions and not gave_up:
        return JobFailed(f"no worker of the app starts: {reasons}")
    if any(FAILED in reason or ENDED in reason for reason in progress.failures.values()):
        return JobFailed(f"no item of {task} succeeded: {reasons}; fix the task, or the items")
    if NOT_RUN in reasons:
        return JobFailed(
            f"{task} did not finish an item: {reasons}; race the tasks that it waits for instead"
        )
    if not (ready or progress.executions):
        return JobFailed(
            f"no worker of the app was ready within the budget of {options.budget_s:g} s"
            f"{f' ({reasons})' if reasons else ''}; raise --budget-s"
        )
    hung = progress.failures and 2 * options.time_limit_s < options.budget_s
    if (gave_up and not hung) or options.time_limit_s > options.budget_s:
        return JobFailed(
            f"{task} did not finish an item within the budget of {options.budget_s:g} s"
            f"{f' ({reasons})' if reasons else ''}; raise --budget-s to several times the duration"
            " of an item, or use shorter items"
        )
    return JobFailed(
        f"{task} did not finish its first item within {options.time_limit_s:g} s ({reasons});"
        " raise --time-limit, or use shorter items"
    )


def all_failed(options: RaceOptions, laps: Sequence[Lap], progress: Progress) -> AllFailed:
    """The error of a task that raised an error for all items of these laps."""
    executions = sum(lap.executions for lap in laps)
    if not executions and progress.executions >= options.max_executions:
        return AllFailed(
            f"no item of {options.target.task} was measured: --max-executions"
            f" {options.max_executions} is used up by the warm-up; raise it",
            "",
        )
    failures = count_failures(laps)
    kinds = ", ".join(f"{name} ({number})" for name, number in failures.items())
    too_long = all(name.endswith("TimeLimitExceeded") for name in failures) and failures
    way_out = (
        "raise --time-limit, or use shorter items" if too_long else "fix the task, or the items"
    )
    return AllFailed(
        f"{options.target.task} failed for all {executions} items that"
        f" were tried: {kinds or NO_DURATION}; {way_out}",
        next((lap.traceback for lap in laps if lap.traceback), ""),
    )


def no_finalists(
    options: RaceOptions, reasons: Mapping[str, Reason | None], progress: Progress
) -> JobFailed:
    """The error of a race in which no candidate could be measured to the end."""
    if progress.failures and "failures" not in reasons.values():
        reasons = {**reasons, **dict.fromkeys(map(str, progress.failures), "failures")}
    named = ", ".join(f"{name} ({reason})" for name, reason in reasons.items())
    text = f"{options.target.task}: no candidate could be measured: {named}"
    if "failures" in reasons.values():
        return JobFailed(f"{text}: {_reasons(progress)}")
    return JobFailed(f"{text}; raise that limit")


def _reasons(progress: Progress) -> str:
    """Why candidates failed; candidates with the same reason are named together."""
    candidates: dict[str, list[str]] = {}
    for candidate, text in progress.failures.items():
        name = str(candidate)
        candidates.setdefault(text.removeprefix(f"{name} "), []).append(name)
    return "; ".join(f"{', '.join(names)} {reason}" for reason, names in candidates.items())
