"""An error says in words what happened, and names the way out."""

import pytest

from poolrace.producer.errors import JobFailed, reason_of
from poolrace.workers.errors import suggestion


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (KeyboardInterrupt(), "interrupted with Ctrl-C"),
        (SystemExit(143), "ended by SIGTERM"),
        (SystemExit(129), "ended by SIGHUP"),
        (SystemExit(2), "2"),
        (JobFailed("chunk [0, 5) failed"), "chunk [0, 5) failed"),
        (MemoryError(), "MemoryError"),
    ],
)
def test_a_job_that_ended_early_says_why(error: BaseException, reason: str) -> None:
    assert reason_of(error) == reason


def test_a_similar_name_is_suggested() -> None:
    assert suggestion("gevnt", ["prefork", "gevent"]) == "did you mean gevent?"


def test_all_names_are_listed_if_none_is_similar() -> None:
    assert suggestion("xyz", ["prefork", "gevent"]) == "choose prefork, gevent"
