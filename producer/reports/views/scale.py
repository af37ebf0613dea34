"""The view of a scaling series: table rows, and sentences on the gain of more hosts or slots."""

import math

from poolrace.producer.analysis.scaling_laws import PARAMETERS
from poolrace.producer.analysis.scaling_summary import PREDICTED_FACTOR, ScalingSummary
from poolrace.producer.reports.views.column import Column, columns, spread_text
from poolrace.producer.reports.views.fit import fit_quality


def title(workload: str, scaling: ScalingSummary) -> str:
    """Workload and model in one line."""
    return f"{workload} under {scaling.base.model}: speed-up with more {scaling.varies}"


def table(scaling: ScalingSummary) -> tuple[Column, ...]:
    """The table's columns."""
    first, *others = columns(
        scaling.varies, "time s", "±", "speed-up", "efficiency", "Karp-Flatt", "USL fit",
        "CPU s", "exact", priorities=(0, 0, 0, 0, 0, 1, 1, 2, 2),
    )  # fmt: skip
    slots = () if scaling.varies == "slots" else (Column("slots", 1),)
    return (first, *slots, *others)


def cells(scaling: ScalingSummary) -> list[tuple[str, ...]]:
    """One table row per number of hosts or slots, in the order of ``table``."""
    return [
        (
            str(step.number),
            *(() if scaling.varies == "slots" else (str(step.case.slots),)),
            f"{step.case.elapsed_s:.3f}",
            spread_text(step.case.spread_s),
            f"{step.case.speed_up:.2f}",
            f"{step.efficiency:.2f}",
            "-" if step.serial_fraction is None else f"{step.serial_fraction:.3f}",
            "-" if scaling.fit is None else f"{scaling.fitted_speed_up(step.number):.2f}",
            f"{step.case.cpu_s:.2f}",
            "yes" if step.case.exact else "NO",
        )
        for step in scaling.steps
    ]


def findings(scaling: ScalingSummary) -> list[str]:
    """Sentences on the speed-up, its limits and its prediction."""
    unit = scaling.varies.removesuffix("s")
    if len(scaling.steps) < 2 or scaling.steps[0].number != 1:
        return [
            (
                f"A speed-up needs runs on one {unit} and on more: give several numbers,"
                f" including 1, as in --{scaling.varies} 1,2,4."
            )
        ]
    last = scaling.steps[-1]
    return [
        (
            f"{last.number} {scaling.varies} gave a speed-up of {last.case.speed_up:.2f} over one"
            f" {unit}, an efficiency of {last.efficiency:.2f}."
        ),
        _serial_fraction(scaling),
        *_prediction(scaling),
        *_shared_cores(scaling),
    ]


def _serial_fraction(scaling: ScalingSummary) -> str:
    """Karp and Flatt's reading of the serial fraction: serial work or overhead."""
    fractions = ", ".join(f"{fraction:.3f}" for fraction in scaling.serial_fractions)
    match scaling.serial_trend:
        case "one number":
            return (
                f"The serial fraction (Karp-Flatt) is {fractions}; a third number of"
                f" {scaling.varies} would show whether it grows."
            )
        case "grows":
            return (
                f"The serial fraction (Karp-Flatt) grows ({fractions}): the speed-up is limited by"
                f" overhead or a shared resource, which more {scaling.varies} make worse, not by"
                " serial work."
            )
        case "falls":
            return (
                f"The serial fraction (Karp-Flatt) falls ({fractions}): the speed-up is limited by"
                f" a fixed cost, the same for any number of {scaling.varies}."
            )
        case "zero":
            return (
                f"The serial fraction (Karp-Flatt: {fractions}) is not distinguishable from zero."
            )
        case "unclear":
            return (
                "The times vary too much between runs to show whether the serial fraction"
                f" (Karp-Flatt: {fractions}) grows; raise --repeat."
            )
        case "constant":
            return (
                f"The serial fraction (Karp-Flatt) stays the same within the spread ({fractions}):"
                " the speed-up is limited by serial work, as in Amdahl's law."
            )


def _prediction(scaling: ScalingSummary) -> list[str]:
    fit, varies = scaling.fit, scaling.varies
    if fit is None:
        return [
            (
                f"Too few different numbers of {varies} ({len(scaling.steps)}) to fit the Universal"
                f" Scalability Law: give at least {PARAMETERS}, as in --{varies} 1,2,4."
            )
        ]
    peak = (
        f"throughput peaks at {fit.peak:.0f} {varies} and falls with more"
        if math.isfinite(fit.peak)
        else f"throughput never falls with more {varies}"
    )
    number = scaling.predicted_number
    return [
        (
            f"Universal Scalability Law (USL), fitted: contention sigma {fit.sigma:.4f}, crosstalk"
            f" kappa {fit.kappa:.5f} ({fit_quality(fit.r_squared)}); {peak}."
        ),
        (
            f"For {number} {varies}, {PREDICTED_FACTOR} times the largest number measured, the USL"
            f" predicts a speed-up of {scaling.fitted_speed_up(number):.2f}: an extrapolation, not"
            " a measurement."
        ),
    ]


def _shared_cores(scaling: ScalingSummary) -> list[str]:
    """A warning if a CPU-bound workload had more slots than cores."""
    slots, cores = scaling.steps[-1].case.slots, scaling.cores
    if slots <= cores or not scaling.base.cpu_bound:
        return []
    return [
        (
            f"{slots} slots shared {cores} core(s), and this workload is CPU-bound: above {cores}"
            " slots the figures show the limit of these cores, not the gain from more machines."
        )
    ]
