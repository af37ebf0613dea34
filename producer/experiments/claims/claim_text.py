"""The text of a claim. Pure data."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ClaimText:
    """A claim: a statement, and the experiment that tests it.

    Several claims can share an experiment. The end of a figure's name is its unit: ``_s``,
    ``_bytes``, ``_per_s`` or ``_count``. All figures of an experiment have one value for each
    round, and the values of a round were measured one after another.
    """

    name: str
    statement: str
    method: str
    experiment: str
    figures: tuple[str, ...]
