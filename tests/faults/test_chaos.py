"""A minute of chaos with a fixed seed."""

import pytest

from tests.faults.chaos import chaos


@pytest.mark.timeout(400)
def test_in_a_minute_of_chaos_no_value_is_wrong_and_no_job_hangs() -> None:
    tally = chaos(seconds=60, seed=20)
    assert tally.good, tally.render()
    assert tally.jobs >= 4
    assert len(tally.faults) >= 3
