"""What takes part in a race: a pool with its concurrency, and how it is asked for. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from poolrace.producer.results.candidate import CONCURRENT, Candidate
from poolrace.workers.errors import UsageError
from poolrace.workers.pools import pool_named


@dataclass(frozen=True)
class Variants:
    """What is raced besides pool and concurrency; the first of each is what is searched with."""

    workers: Sequence[int] = (1,)
    prefetch: Sequence[int | None] = (None,)
    max_tasks: Sequence[int | None] = (None,)

    def of(self, pool: str, concurrency: int) -> list[Candidate]:
        """A candidate for each combination; children are prefork's, and so is their limit."""
        limits = self.max_tasks if pool == "prefork" else (None,)
        return [
            Candidate(pool, concurrency, workers, prefetch, max_tasks)
            for workers in self.workers
            for prefetch in self.prefetch
            for max_tasks in limits
        ]


def parse(text: str) -> tuple[str, int | None]:
    """``gevent:100`` is a candidate, ``gevent`` a pool whose concurrency is searched."""
    name, colon, number = text.partition(":")
    pool_named(name)
    if not colon:
        return name, 1 if name == "solo" else None
    if not number.isdecimal() or int(number) == 0:
        raise UsageError(f"--pool {text}: {number!r} is not a number of slots; write {name}:8")
    if name == "solo" and number != "1":
        raise UsageError(f"--pool {text}: solo has one slot; write --pool solo")
    return name, int(number)


def pools_to_search(texts: Sequence[str], available: Sequence[str]) -> list[str]:
    """The pools whose concurrency is searched; without any wish all that are available.

    Raises ``UsageError`` for a pool that the environment of the app cannot run.
    """
    wanted = [parse(text) for text in texts] or [(name, None) for name in CONCURRENT]
    for name, _ in wanted:
        if texts and name not in available:
            raise UsageError(
                f"--pool {name}: it is not installed in the environment of the app;"
                f" install {name} there, or choose {', '.join(available)}"
            )
    return [name for name, number in wanted if number is None and name in available]
