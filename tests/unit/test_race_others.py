"""How much of the machine others leave."""

import time

import pytest

from poolrace.producer.race.background_load import MACHINE, Moment


def test_what_neither_idles_nor_is_ours_others_had() -> None:
    before = Moment(at=10.0, all_s=100.0, own_s=5.0)
    ours_alone = Moment(at=12.0, all_s=101.0, own_s=6.0)
    assert ours_alone.cores_left(before) == MACHINE
    half_a_core = Moment(at=12.0, all_s=102.0, own_s=6.0)
    assert half_a_core.cores_left(before) == pytest.approx(MACHINE - 0.5)
    all_of_it = Moment(at=12.0, all_s=100.0 + 4 * MACHINE, own_s=5.0)
    assert all_of_it.cores_left(before) == 0.0


def test_what_this_process_computes_is_its_own() -> None:
    before, began = Moment.now(), time.process_time()
    while time.process_time() < began + 0.3:
        sum(range(10_000))
    after = Moment.now()
    assert after.own_s - before.own_s >= 0.2
    assert after.all_s - before.all_s >= 0.2
