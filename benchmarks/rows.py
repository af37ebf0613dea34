"""The nine rows of the benchmark: work, contenders, figures and targets. Measures nothing."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from benchmarks.hosts import engine_missing
from benchmarks.peers import PEERS, WAITING, Entry
from benchmarks.work import WAIT_S

ROWS = range(1, 10)
"""Numbers of the rows."""

HIGHER_IS_BETTER = ("chunks_per_s", "host_s", "last_over_first")
"""Keys of the figures of which a higher value is better. Efficiency is ``host_s`` of one host over
``host_s`` of several hosts."""


@dataclass(frozen=True)
class Sizes:
    """Sizes of the work in each row. The targets hold for the defaults."""

    stop: int = 100_000_000
    chunks: int = 1024
    noops: int = 10_000
    few_noops: int = 1000
    """Number of no-op chunks for peers that fork for each job; the figure is chunks per second."""
    one_chunk_times: int = 20
    million: int = 1_000_000
    waits: int = 10_000
    hosts: tuple[int, ...] = (1, 2, 4, 8)
    hosts_stop: int = 300_000_000
    """End of the range for row 7. One host of a fifth of a core takes 50 s for it, and eight hosts
    take 6 s, so that the first and the last chunks, some tenths of a second, have little effect."""
    command_times: int = 2
    repeat: int = 5


QUICK = Sizes(
    stop=1_000_000,
    chunks=32,
    noops=100,
    few_noops=20,
    one_chunk_times=2,
    million=1000,
    waits=1000,
    hosts=(1, 2),
    hosts_stop=1_000_000,
    command_times=1,
    repeat=1,
)
"""Sizes for tests, which show that everything runs; their times mean nothing."""


@dataclass(frozen=True)
class Contender:
    """A peer or a case that a row measures, with its arguments for ``benchmarks.once``."""

    name: str
    command: tuple[str, ...]
    missing: str | None = None
    """Reason why the contender cannot be measured on this machine, with advice."""


@dataclass(frozen=True)
class Row:
    """A benchmark of one kind of work; its contenders are measured interleaved."""

    number: int
    work: str
    contenders: tuple[Contender, ...]


@dataclass(frozen=True)
class Figure:
    """A value of one contender, or its ratio to the value of another contender in the same round.

    ``most`` or ``least`` is the target; an ``aim`` is a target that need not be reached. A figure
    without a target is shown for comparison.
    """

    row: int
    title: str
    contender: str
    key: str
    over: str | None = None
    most: float | None = None
    least: float | None = None
    unit: str = ""
    aim: bool = False

    @property
    def higher_is_better(self) -> bool:
        """Whether a higher value is better."""
        return self.key in HIGHER_IS_BETTER


FIGURES: tuple[Figure, ...] = (
    Figure(1, "time / the seed's program", "poolrace", "elapsed_s", "seed", most=1.03),
    Figure(2, "time / the seed's program", "poolrace", "elapsed_s", "seed", most=1.5),
    Figure(2, "time / Ray's", "poolrace", "elapsed_s", "ray", most=1.0),
    Figure(3, "rate / Celery group's", "poolrace", "chunks_per_s", "celery-group", least=3.0),
    Figure(3, "rate / taskiq's", "poolrace", "chunks_per_s", "taskiq", least=1.0),
    Figure(3, "rate / Ray's", "poolrace", "chunks_per_s", "ray", least=1.0, aim=True),
    Figure(4, "time of a job", "poolrace", "elapsed_s", most=0.005, unit="s"),
    Figure(4, "time of a job, Celery group", "celery-group", "elapsed_s", unit="s"),
    Figure(5, "producer's peak memory", "poolrace", "producer_peak_mb", most=120.0, unit="MB"),
    Figure(5, "Redis' peak above idle", "poolrace", "redis_above_idle_mb", most=20.0, unit="MB"),
    Figure(5, "rate of the last tenth / first", "poolrace", "last_over_first", least=0.9),
    Figure(6, "time / the ideal", "poolrace", "of_ideal", most=1.3),
    Figure(6, "time / the ideal, Celery group", "celery-group", "of_ideal"),
    Figure(7, "efficiency at 2 hosts", "hosts 1", "host_s", "hosts 2"),
    Figure(7, "efficiency at 4 hosts", "hosts 1", "host_s", "hosts 4"),
    Figure(7, "efficiency at 8 hosts", "hosts 1", "host_s", "hosts 8", least=0.95),
    Figure(8, "CPU time / the bare kernel's", "poolrace", "cpu_s", "bare kernel", most=1.03),
    Figure(9, "producer --help", "--help", "elapsed_s", most=0.25, unit="s"),
    Figure(9, "producer run sum --stop 1000", "run", "elapsed_s", most=0.3, unit="s"),
)
"""Figures of the first table: those with targets, and those shown for comparison."""

PEER_ROWS = {1: "elapsed_s", 2: "elapsed_s", 3: "chunks_per_s"}
"""Key of the compared figure, by row, for the rows that measure all peers."""


def followed_figures() -> list[Figure]:
    """Figures that are compared with earlier results: ``FIGURES``, and a figure for each peer."""
    peers = [name for name in PEERS if name != "seed"]
    ratios = [
        Figure(row, f"{PEERS[name].title}: time / the seed's", name, "elapsed_s", "seed")
        for row in (1, 2)
        for name in peers
        if name != "poolrace"
    ]
    rates = [
        Figure(3, f"{PEERS[name].title}: chunks/s", name, "chunks_per_s", unit="1/s")
        for name in peers
    ]
    return [*FIGURES, *ratios, *rates]


def rows(sizes: Sizes, peers: Collection[str]) -> list[Row]:
    """All rows; ``peers`` are the names of the peers to measure."""
    entries = {name: entry for name, entry in PEERS.items() if name in peers}
    return [
        Row(1, f"sum of range({sizes.stop:,}), left to the tool", _peers(entries, sizes.stop)),
        Row(2, f"the same in {sizes.chunks:,} chunks", _peers(entries, sizes.stop, sizes.chunks)),
        Row(3, f"{sizes.noops:,} no-op chunks", _noops(entries, sizes)),
        Row(4, "one-chunk job on a warm pool", _one_chunk(entries, sizes.one_chunk_times)),
        Row(5, f"{sizes.million:,} no-op chunks", (_poolrace("million", sizes.million),)),
        Row(
            6,
            f"{sizes.waits:,} indices that wait {WAIT_S:g} s each, gevent:1000",
            _waits(entries, sizes),
        ),
        Row(7, "hosts of a fifth of a core", _hosts(sizes)),
        Row(8, f"CPU seconds of the sum of range({sizes.stop:,})", _cpu(sizes.stop)),
        Row(9, "whole commands", _commands(sizes.command_times)),
    ]


def _peers(
    entries: Mapping[str, Entry], stop: int, chunks: int | None = None, times: int = 1
) -> tuple[Contender, ...]:
    """Contenders of ``chunks`` chunks; the seed's program always computes two halves."""
    contenders = []
    for name, entry in entries.items():
        split = _option("--chunks", None if name == "seed" else chunks)
        size = (*_option("--stop", stop), *split, *_option("--times", times))
        contenders.append(Contender(name, ("peer", name, *size), entry.missing))
    return tuple(contenders)


def _noops(entries: Mapping[str, Entry], sizes: Sizes) -> tuple[Contender, ...]:
    """Contenders of one-index chunks: all peers but the seed's program, which has no chunks."""
    contenders: list[Contender] = []
    for name, entry in entries.items():
        if name != "seed":
            count = sizes.few_noops if name == "rq" else sizes.noops
            contenders += _peers({name: entry}, count, count)
    return tuple(contenders)


def _one_chunk(entries: Mapping[str, Entry], times: int) -> tuple[Contender, ...]:
    warm_pools = {name: entries[name] for name in ("poolrace", "celery-group") if name in entries}
    return _peers(warm_pools, 1, 1, times)


def _waits(entries: Mapping[str, Entry], sizes: Sizes) -> tuple[Contender, ...]:
    return tuple(
        Contender(
            name,
            ("peer", name, "--waiting", *_option("--stop", sizes.waits), *chunks),
            entry.missing,
        )
        for name, entry in WAITING.items()
        if name in entries
        for chunks in [() if name == "poolrace" else _option("--chunks", sizes.waits)]
    )


def _hosts(sizes: Sizes) -> tuple[Contender, ...]:
    missing = engine_missing()
    return tuple(
        Contender(
            f"hosts {hosts}",
            ("hosts", *_option("--hosts", hosts), *_option("--stop", sizes.hosts_stop)),
            missing,
        )
        for hosts in sizes.hosts
    )


def _cpu(stop: int) -> tuple[Contender, ...]:
    return (
        _poolrace("cpu", stop),
        Contender("bare kernel", ("bare", *_option("--stop", stop))),
    )


def _commands(times: int) -> tuple[Contender, ...]:
    return tuple(
        Contender(name, ("command", command, *_option("--times", times)))
        for name, command in (("--help", "help"), ("run", "run"))
    )


def _poolrace(command: str, stop: int) -> Contender:
    return Contender("poolrace", (command, *_option("--stop", stop)))


def _option(name: str, value: int | None) -> tuple[str, ...]:
    return (name, str(value)) if value is not None else ()
