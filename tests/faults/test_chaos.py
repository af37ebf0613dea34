"""Some rounds of chaos with a fixed seed."""

import pytest

from tests.faults.chaos import chaos

ROUNDS = 6
"""Rounds that take a minute on a quiet machine."""


@pytest.mark.timeout(400)
def test_in_some_rounds_of_chaos_no_value_is_wrong_and_no_job_hangs() -> None:
    tally = chaos(seconds=0, seed=20, rounds=ROUNDS)
    assert tally.good, tally.render()
    assert tally.jobs >= ROUNDS
    assert len(tally.faults) >= 3
