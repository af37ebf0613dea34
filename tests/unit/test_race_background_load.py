"""Background load: the CPU cores that other processes leave free."""

import time

import pytest

from poolrace.producer.race.background_load import MACHINE_CORES, CpuSnapshot


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
