"""Claims on the workers of a real cluster: experiments on each pool, and the price of a message."""

import pytest

from poolrace.producer.analysis.claims import judge
from poolrace.producer.broker.client import connect
from poolrace.producer.errors import JobFailed
from poolrace.producer.experiments.claims.measure_claims import ClaimsOptions, measure_claims
from poolrace.producer.experiments.claims.messages import ROUNDS
from poolrace.producer.experiments.claims.on_pool import measure_on_pool
from poolrace.producer.experiments.saved_jobs import saved_jobs
from poolrace.producer.settings import Settings
from poolrace.workers.pools import POOLS

FAST = ("shared-heap", "generator-state")
"""Claims whose experiments take less than a second."""


@pytest.mark.parametrize("pool", POOLS)
def test_experiments_run_on_the_workers_of_each_pool(pool: str, with_cluster: Settings) -> None:
    tested = measure_claims(ClaimsOptions(FAST, pool=pool), with_cluster)
    assert [(each.name, each.pool) for each in tested.claims] == [(name, pool) for name in FAST]
    assert [judge(each).verdict for each in tested.claims] == ["holds", "holds"]
    assert tested.environment.hosts


def test_a_message_is_measured_through_each_pool_and_leaves_no_unfinished_job(
    with_cluster: Settings,
) -> None:
    before = {job.job for job in saved_jobs(with_cluster)}
    [price] = measure_claims(ClaimsOptions(["message-price"]), with_cluster).claims
    assert set(price.values()) == {"local_threads_s", *(f"{pool}_s" for pool in POOLS)}
    assert all(len(values) == ROUNDS and min(values) > 0 for values in price.values().values())
    new = [job.state for job in saved_jobs(with_cluster) if job.job not in before]
    assert new == ["finished"] * len(POOLS)


def test_a_message_is_measured_through_the_pool_that_was_asked_for(
    with_cluster: Settings,
) -> None:
    options = ClaimsOptions(["message-price"], pool="solo")
    [price] = measure_claims(options, with_cluster).claims
    assert list(price.values()) == ["local_threads_s", "solo_s"]


def test_an_experiment_that_no_worker_knows_fails_with_its_name(with_cluster: Settings) -> None:
    with pytest.raises(JobFailed, match=r"no-such failed on pool 'threads': .* is unknown"):
        list(measure_on_pool("threads", ["no-such"], with_cluster, lambda _: None))


def test_no_result_of_an_experiment_stays_in_redis(with_cluster: Settings) -> None:
    with connect(str(with_cluster.broker_url)) as client:
        before = {*client.scan_iter("celery-task-meta-*")}  # late duplicates of other runs
        list(measure_on_pool("solo", ["generator"], with_cluster, lambda _: None))
        assert {*client.scan_iter("celery-task-meta-*")} <= before
