"""The interruption of a measurement: the reason why its results are incomplete. Pure."""

from typing import Literal

from poolrace.workers.errors import ClusterError

Interruption = Literal["", "interrupted", "cluster lost", "failed"]
"""Reason why a measurement ended early, in the words of the reports; empty if it did not."""


def interruption_by(error: BaseException) -> Interruption:
    """The interruption that this error, Ctrl-C or signal is."""
    if isinstance(error, (KeyboardInterrupt, SystemExit)):
        return "interrupted"
    return "cluster lost" if isinstance(error, ClusterError) else "failed"
