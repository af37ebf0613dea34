"""The line of a report on results of a measurement that ended early."""

from poolrace.producer.results.files import Results


def lines(results: Results, unit: str, done: int, planned: int = 0) -> list[str]:
    """One line with the number of runs or laps, and the reason; none for complete results."""
    if results.complete:
        return []
    number = f"{done} of {planned}" if planned else str(done)
    return [", ".join(filter(None, (f"incomplete: {number} {unit}", results.interruption)))]
