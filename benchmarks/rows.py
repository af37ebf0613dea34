"""The rows of the benchmark: work, contenders and numbers of rounds. Measures nothing."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from benchmarks.hosts import engine_missing
from benchmarks.peers import PEERS, WAITING, Entry
from benchmarks.work import WAIT_S

ROWS = range(1, 13)
"""Numbers of the rows."""

PEER_REPEAT = 3
"""Rounds of peers: their figures are for comparison, and five rounds said no more than three."""

SLOW_PEERS = ("celery-group", "dask", "dramatiq", "rq", "taskiq")
"""Peers with fewer no-op chunks: they compute up to 1,000 per second, others 1,800 and more. The
rates of 2,000 and of 10,000 chunks differed by a tenth at most (taskiq, Dask)."""

SIMULATED_SLOTS = 16
"""Slots of each simulated host."""


@dataclass(frozen=True)
class Sizes:
    """Sizes of the work in each row. The targets hold for the defaults."""

    stop: int = 100_000_000
    chunks: int = 1024
    noops: int = 10_000
    few_noops: int = 2000
    """Number of no-op chunks for ``SLOW_PEERS``; the figure is chunks per second."""
    one_chunk_times: int = 20
    few_one_chunk_times: int = 5
    """Number of jobs for Celery's group, each of which waits for half a second."""
    million: int = 1_000_000
    waits: int = 10_000
    hosts: tuple[int, ...] = (1, 2, 4, 8)
    hosts_stop: int = 300_000_000
    """End of the range for row 7. One host of a fifth of a core takes 50 s for it, and eight hosts
    take 6 s, so that the first and the last chunks, some tenths of a second, have little effect."""
    simulated_hosts: int = 10_000
    repeat: int | None = None
    """Rounds of every contender; ``None`` means the numbers of the rows."""


QUICK = Sizes(
    stop=1_000_000,
    chunks=32,
    noops=100,
    few_noops=20,
    one_chunk_times=2,
    few_one_chunk_times=1,
    million=1000,
    waits=1000,
    hosts=(1, 2),
    hosts_stop=1_000_000,
    simulated_hosts=10,
    repeat=1,
)
"""Sizes for tests, which show that everything runs; their times mean nothing."""

_SIZES: Mapping[int, tuple[str, ...]] = {
    1: ("stop",),
    2: ("stop", "chunks"),
    3: ("noops",),
    4: ("one_chunk_times",),
    5: ("million",),
    6: ("waits",),
    7: ("hosts_stop",),
    8: ("stop",),
    9: (),
    10: ("stop",),
    11: ("stop",),
    12: ("simulated_hosts",),
}


def sizes_of(row: int, contender: str) -> tuple[str, ...]:
    """The names of the sizes on which the values of a contender depend."""
    if row == 3 and contender in SLOW_PEERS:
        return ("few_noops",)
    if row == 4 and contender == "celery-group":
        return ("few_one_chunk_times",)
    return _SIZES[row]


@dataclass(frozen=True)
class Contender:
    """A peer or a case that a row measures, with its arguments for ``benchmarks.once``."""

    name: str
    command: tuple[str, ...]
    missing: str | None = None
    """Reason why the contender cannot be measured on this machine, with advice."""
    repeat: int | None = None
    """Number of the row's rounds that measure the contender; ``None`` means all."""
    in_turn: str | None = None
    """Key of the values, if one process measures several contenders in turn, in all rounds.

    The process then gets the number of rounds, and prints a list with a value for each round, by
    contender."""


@dataclass(frozen=True)
class Row:
    """A benchmark of one kind of work; its contenders are measured interleaved."""

    number: int
    work: str
    contenders: tuple[Contender, ...]
    repeat: int
    """Number of interleaved rounds."""
    seconds: float
    """Seconds that the row takes with its own number of rounds, measured on two idle cores."""

    def repeated(self, repeat: int | None) -> "Row":
        """The row with this number of rounds for every contender; itself without a number."""
        if repeat is None:
            return self
        contenders = tuple(replace(contender, repeat=None) for contender in self.contenders)
        seconds = self.seconds * repeat / self.repeat
        return replace(self, contenders=contenders, repeat=repeat, seconds=seconds)


def rows(sizes: Sizes, peers: Collection[str]) -> list[Row]:
    """All rows; ``peers`` are the names of the peers to measure."""
    entries = {name: entry for name, entry in PEERS.items() if name in peers}
    stop, work = sizes.stop, f"sum of range({sizes.stop:,})"
    waits = f"{sizes.waits:,} indices that wait {WAIT_S:g} s each, gevent:1000"
    in_chunks = _peers(entries, stop, sizes.chunks)
    simulated_slots = sizes.simulated_hosts * SIMULATED_SLOTS
    all_rows = [
        Row(1, f"{work}, left to the tool", _peers(entries, stop), 5, 210),
        Row(2, f"the same in {sizes.chunks:,} chunks", in_chunks, 3, 250),
        Row(3, f"{sizes.noops:,} no-op chunks", _noops(entries, sizes), 5, 250),
        Row(4, "one-chunk job on a warm pool", _one_chunk(entries, sizes), 5, 55),
        Row(5, f"{sizes.million:,} no-op chunks", (_poolrace("million", sizes.million),), 3, 90),
        Row(6, waits, _waits(entries, sizes), 5, 85),
        Row(7, "hosts of a fifth of a core", (_hosts(sizes),), 3, 400),
        Row(8, f"CPU seconds of the {work}", (_in_turn("cpu", stop, "cpu_s"),), 10, 40),
        Row(
            9,
            "whole commands",
            (Contender("commands", ("commands",), in_turn="elapsed_s"),),
            10,
            15,
        ),
        Row(10, f"{work}, in pairs", (_in_turn("pairs", stop),), 20, 110),
        Row(11, f"{work}, as make demo measures", (_in_turn("demo", stop),), 10, 45),
        Row(12, f"simulation of {simulated_slots:,} slots", _simulation(sizes), 3, 50),
    ]
    return [row.repeated(sizes.repeat) for row in all_rows]


def expected_seconds(chosen: Sequence[Row]) -> float:
    """Seconds that the rows take on two idle cores, roughly, without those that are missing."""
    return sum(row.seconds for row in chosen if not all(each.missing for each in row.contenders))


def _peers(
    entries: Mapping[str, Entry], stop: int, chunks: int | None = None, times: int = 1
) -> tuple[Contender, ...]:
    """Contenders of ``chunks`` chunks; the seed's program always computes two halves."""
    contenders = []
    for name, entry in entries.items():
        split = _option("--chunks", None if name == "seed" else chunks)
        size = (*_option("--stop", stop), *split, *_option("--times", times))
        repeat = None if name in ("seed", "poolrace") else PEER_REPEAT
        contenders.append(Contender(name, ("peer", name, *size), entry.missing, repeat))
    return tuple(contenders)


def _noops(entries: Mapping[str, Entry], sizes: Sizes) -> tuple[Contender, ...]:
    """Contenders of one-index chunks: all peers but the seed's program, which has no chunks."""
    contenders: list[Contender] = []
    for name, entry in entries.items():
        if name != "seed":
            count = sizes.few_noops if name in SLOW_PEERS else sizes.noops
            contenders += _peers({name: entry}, count, count)
    return tuple(contenders)


def _one_chunk(entries: Mapping[str, Entry], sizes: Sizes) -> tuple[Contender, ...]:
    times = {"poolrace": sizes.one_chunk_times, "celery-group": sizes.few_one_chunk_times}
    return tuple(
        contender
        for name, count in times.items()
        if name in entries
        for contender in _peers({name: entries[name]}, 1, 1, count)
    )


def _waits(entries: Mapping[str, Entry], sizes: Sizes) -> tuple[Contender, ...]:
    """Contenders with a thousand greenlets; Celery's group, for comparison, takes 35 s a round."""
    return tuple(
        Contender(
            name,
            ("peer", name, "--waiting", *_option("--stop", sizes.waits), *chunks),
            entry.missing,
            None if name == "poolrace" else 1,
        )
        for name, entry in WAITING.items()
        if name in entries
        for chunks in [() if name == "poolrace" else _option("--chunks", sizes.waits)]
    )


def _hosts(sizes: Sizes) -> Contender:
    numbers = ("--hosts", ",".join(map(str, sizes.hosts)))
    command = ("hosts", *numbers, *_option("--stop", sizes.hosts_stop))
    return Contender("hosts", command, engine_missing(), in_turn="host_s")


def _in_turn(command: str, stop: int, key: str = "elapsed_s") -> Contender:
    return Contender(command, (command, *_option("--stop", stop)), in_turn=key)


def _simulation(sizes: Sizes) -> tuple[Contender, ...]:
    counts = (*_option("--hosts", sizes.simulated_hosts), *_option("--slots", SIMULATED_SLOTS))
    return (Contender("auto", ("simulation", *counts)),)


def _poolrace(command: str, stop: int) -> Contender:
    return Contender("poolrace", (command, *_option("--stop", stop)))


def _option(name: str, value: int | None) -> tuple[str, ...]:
    return (name, str(value)) if value is not None else ()
