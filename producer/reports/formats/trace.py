"""``trace``: runs and laps over time in the Trace Event Format, for Perfetto and chrome://tracing.

https://perfetto.dev/docs/getting-started/other-formats names the parts that Perfetto reads.
"""

import json
from collections.abc import Callable
from typing import Any, NoReturn

from poolrace.producer.analysis.comparison_summary import median_runs
from poolrace.producer.analysis.diff import Diff
from poolrace.producer.analysis.diff_cases import case_name
from poolrace.producer.printable import printable_json
from poolrace.producer.reports.trace.events import TraceEvents
from poolrace.producer.reports.trace.laps import add_race
from poolrace.producer.reports.trace.runs import add_run
from poolrace.producer.reports.views.view import Viewed, view
from poolrace.producer.results.claims import Claims
from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.pool_map import PoolMap
from poolrace.producer.results.race import Race
from poolrace.producer.results.single_run import SingleRun
from poolrace.workers.errors import UsageError


def render(results: Viewed) -> str:
    """The trace as JSON, one event per line; raises ``UsageError`` for a map, claims or a diff.

    Of a comparison it has the median run of each case; all of them begin at time 0.
    """
    trace = TraceEvents()
    _ADDERS[type(results)](trace, results)
    events = ",\n".join(map(_json, trace.ordered()))
    about = _json(_about(results))
    return f'{{"traceEvents":[\n{events}\n],\n"displayTimeUnit":"ms",\n"otherData":{about}}}\n'


def refuse(kind: str) -> NoReturn:
    """Raise the ``UsageError`` of a kind of results that does not hold when anything ran."""
    raise UsageError(
        f"a {kind} has no trace, because it does not hold when its items ran; a trace shows the"
        " results of run, compare, sweep, scale and race"
    )


def _add_single_run(trace: TraceEvents, single: SingleRun) -> None:
    add_run(trace, single.run)


def _add_comparison(trace: TraceEvents, comparison: Comparison) -> None:
    for run in median_runs(comparison):
        add_run(trace, run, f"{case_name(run, comparison.varies)}: ")


_ADDERS: dict[type[Viewed], Callable[[TraceEvents, Any], None]] = {
    SingleRun: _add_single_run,
    Comparison: _add_comparison,
    Race: add_race,
    PoolMap: lambda *_: refuse("map"),
    Claims: lambda *_: refuse("file of claims"),
    Diff: lambda *_: refuse("diff"),
}
"""Class of results -> the function that adds its events."""


def _about(results: Viewed) -> dict[str, str]:
    """The words of the report, which readers show as metadata of the trace."""
    content = view(results)
    about = {
        "title": content.title,
        "summary": content.summary,
        "warnings": "; ".join(content.warnings),
        "validity": content.validity,
        "measured": results.made_at,
        "environment": "; ".join(content.environment),
        "invocation": content.invocation,
    }
    return {name: text for name, text in about.items() if text}


def _json(value: Any) -> str:
    """The value on one line; no reader refuses its texts, as some refuse lone surrogates."""
    return json.dumps(printable_json(value), separators=(",", ":"), allow_nan=False)
