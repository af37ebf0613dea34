"""``csv``: the raw values, a line a run, for a spreadsheet."""

import csv
import io

from producer.results import Comparison

COLUMNS = (
    "workload", "start", "stop", "model", "slots", "hosts", "machines", "schedule", "chunks",
    "duplicates", "value", "expected", "exact", "elapsed_s", "startup_s", "cpu_s", "busy_s",
    "efficiency", "voluntary_switches", "involuntary_switches", "peak_memory_bytes",
)  # fmt: skip


def render(comparison: Comparison) -> str:
    """Every run in the order in which it was made; nothing is rounded."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for run in comparison.runs:
        writer.writerow([getattr(run, column) for column in COLUMNS])
    return text.getvalue()
