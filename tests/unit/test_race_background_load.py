"""Background load: the CPU cores that other processes leave free."""

import time

import pytest

from poolrace.producer.race.background_load import MACHINE_CORES, BackgroundLoad, CpuSnapshot


def test_cpu_time_that_is_neither_idle_nor_of_this_process_counts_as_background_load() -> None:
    before = CpuSnapshot(at=10.0, machine_s=100.0, own_s=5.0)
    only_ours = CpuSnapshot(at=12.0, machine_s=101.0, own_s=6.0)
    assert only_ours.cores_left(before) == MACHINE_CORES
    half_a_core = CpuSnapshot(at=12.0, machine_s=102.0, own_s=6.0)
    assert half_a_core.cores_left(before) == pytest.approx(MACHINE_CORES - 0.5)
    all_cores = CpuSnapshot(at=12.0, machine_s=100.0 + 4 * MACHINE_CORES, own_s=5.0)
    assert all_cores.cores_left(before) == 0.0


def test_computing_of_this_process_counts_as_its_own() -> None:
    before, began = CpuSnapshot.now(), time.process_time()
    while time.process_time() < began + 0.3:
        sum(range(10_000))
    after = CpuSnapshot.now()
    assert after.own_s - before.own_s >= 0.2
    assert after.machine_s - before.machine_s >= 0.2


def stretch(load: BackgroundLoad, began: float, length_s: float, others: float) -> None:
    """Add a stretch in which other processes use this number of cores."""
    before = CpuSnapshot(at=began, machine_s=0.0, own_s=0.0)
    load.add(before, CpuSnapshot(at=began + length_s, machine_s=others * length_s, own_s=0.0))


def test_the_stretch_with_the_highest_load_counts() -> None:
    load = BackgroundLoad()
    for began, others in ((0.0, 0.1), (2.0, 1.0), (4.0, 0.0)):
        stretch(load, began, 1.5, others)
    assert load.cores_left == pytest.approx(MACHINE_CORES - 1.0)


def test_a_process_that_runs_for_a_moment_is_not_background_load() -> None:
    load = BackgroundLoad()
    stretch(load, 0.0, 0.1, 1.0)
    stretch(load, 1.0, 1.9, 0.0)
    assert load.cores_left == pytest.approx(MACHINE_CORES - 0.05)


def test_a_race_without_a_whole_stretch_tells_the_load_of_the_part() -> None:
    load = BackgroundLoad()
    assert load.cores_left == MACHINE_CORES
    stretch(load, 0.0, 0.5, 1.0)
    assert load.cores_left == pytest.approx(MACHINE_CORES - 1.0)
