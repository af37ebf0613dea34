"""The view of a sweep: table rows, and sentences on the number of chunks."""

from poolrace.producer.analysis.scaling_laws import PARAMETERS, ChunkFit
from poolrace.producer.analysis.sweep_summary import SweepSummary
from poolrace.producer.reports.views.column import columns, spread_text
from poolrace.producer.reports.views.fit import fit_quality

TABLE = columns(
    "chunks", "time s", "±", "fitted s", "overhead s", "imbalance s", "CPU s", "exact",
    priorities=(0, 0, 0, 2, 1, 1, 3, 3),
)  # fmt: skip


def title(workload: str, sweep: SweepSummary) -> str:
    """Workload and model in one line."""
    return f"{workload} under {sweep.cases[0].model}: time against the number of chunks"


def cells(sweep: SweepSummary) -> list[tuple[str, ...]]:
    """One table row per number of chunks, in the order of ``TABLE``."""
    return [
        (
            str(case.chunks),
            f"{case.elapsed_s:.3f}",
            spread_text(case.spread_s),
            *_fitted_cells(sweep.fit, case.chunks),
            f"{case.cpu_s:.2f}",
            "yes" if case.exact else "NO",
        )
        for case in sweep.cases
    ]


def findings(sweep: SweepSummary) -> list[str]:
    """Sentences on the costs by the fitted model, the optimal and the fastest number of chunks."""
    if sweep.fit is None:
        return [_too_few(len(sweep.cases)), *_fastest(sweep)]
    return [_costs(sweep.fit), _optimum(sweep, sweep.fit), *_fastest(sweep)]


def _fitted_cells(fit: ChunkFit | None, chunks: int) -> tuple[str, str, str]:
    if fit is None:
        return "-", "-", "-"
    figures_s = (fit.time_s(chunks), fit.overhead_s * chunks, fit.waiting_s(chunks))
    time, overhead, imbalance = (f"{seconds:.3f}" for seconds in figures_s)
    return time, overhead, imbalance


def _too_few(numbers: int) -> str:
    return (
        f"Too few different numbers of chunks ({numbers}) to fit a model: give at least"
        f" {PARAMETERS}, better five, as in --chunks 2,8,32,128,512."
    )


def _costs(fit: ChunkFit) -> str:
    """The fitted model and its parts: overhead, imbalance, and rounds if they show in the times."""
    overhead = (
        f"Each chunk adds {fit.overhead_s * 1000:.2f} ms of overhead"
        if fit.overhead_s
        else "Chunks add no measurable overhead"
    )
    imbalance = f"{fit.imbalance_s:.3f} s / n" if fit.imbalance_s else "no measurable time"
    factor, definition, last_round = "", "", ""
    if fit.in_step > 1:
        factor = " * r"
        definition = f", r = {fit.in_step} * ceil(n / {fit.in_step}) / n"
        last_round = " Factor r: some slots have no chunk in the last round."
    return (
        f"{overhead}; slots that wait for slower slots add {imbalance}. Model fitted to the time of"
        f" n chunks: {fit.work_s:.3f} s{factor} + {fit.overhead_s:.2g} s * n"
        f" + {fit.imbalance_s:.3f} s / n{definition} ({fit_quality(fit.r_squared)}).{last_round}"
    )


def _optimum(sweep: SweepSummary, fit: ChunkFit) -> str:
    """The optimal number of chunks by the fitted model, if it is among those measured."""
    fewest, most, optimum = sweep.cases[0].chunks, sweep.cases[-1].chunks, fit.optimal_chunks
    if optimum is None or optimum > most:
        return (
            f"The optimum lies above {most} chunks, the largest number measured; there waiting"
            f" costs {fit.waiting_s(most):.3f} s, overhead {fit.overhead_s * most:.3f} s. Measure"
            " larger numbers with --chunks."
        )
    if optimum < fewest:
        return (
            f"The optimum is {fewest} chunks or fewer: above {fewest}, the smallest number"
            " measured, more chunks only add overhead."
        )
    cost_s = fit.time_s(optimum) - fit.work_s
    return (
        f"The optimum is about {optimum} chunks: there overhead and waiting together cost"
        f" {cost_s:.3f} s, {cost_s / fit.time_s(optimum):.1%} of the time."
    )


def _fastest(sweep: SweepSummary) -> list[str]:
    """The number of chunks with the shortest time, and the numbers not distinguishable from it."""
    shortest = f"{sweep.fastest.chunks} chunks had the shortest measured time"
    if not any(case.spread_s for case in sweep.cases):
        return [f"{shortest}; with one run of each number, the difference may be chance."]
    *numbers, last = (str(case.chunks) for case in sweep.tied)
    if not numbers:
        return [f"{shortest}, by more than the spread (±)."]
    return [
        (
            f"{shortest}, but {', '.join(numbers)} and {last} chunks are not distinguishable: their"
            " times differ by no more than the spread (±)."
        )
    ]
