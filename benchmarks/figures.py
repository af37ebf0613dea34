"""The figures of the benchmark: values of contenders, or ratios of two, with targets. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.peers import PEERS
from poolrace.producer.analysis.stats import median, quantiles

HIGHER_IS_BETTER = ("chunks_per_s", "slots_per_s", "host_s", "last_over_first")
"""Keys of the figures of which a higher value is better. Efficiency is ``host_s`` of one host over
``host_s`` of several hosts."""


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
    ninth_decile: bool = False
    """Whether the figure is the ninth decile of its rounds, and not their median: nine of ten
    rounds are at most as high."""

    @property
    def higher_is_better(self) -> bool:
        """Whether a higher value is better."""
        return self.key in HIGHER_IS_BETTER

    @property
    def title_with_unit(self) -> str:
        """The title, followed by the unit if there is one."""
        return self.title + (f", {self.unit}" if self.unit else "")

    @property
    def target(self) -> str:
        """The target as text; empty without one."""
        if self.most is None and self.least is None:
            return ""
        limit = f"<= {self.most:,g}" if self.most is not None else f">= {self.least:,g}"
        return f"{limit} (aim)" if self.aim else limit

    def value(self, rounds: Sequence[float]) -> float:
        """The median of the rounds, or their ninth decile."""
        return quantiles(rounds, 11)[9] if self.ninth_decile else median(rounds)

    def reached(self, rounds: Sequence[float]) -> bool:
        """Whether the value of the rounds is within the target; true without a target."""
        value = self.value(rounds)
        too_much = self.most is not None and value > self.most
        too_little = self.least is not None and value < self.least
        return not (too_much or too_little)


def _in_pairs(title: str, contender: str) -> tuple[Figure, Figure]:
    """Figures of the pairs in row 10: the median, and the limit of nine pairs of ten."""
    seeds = f"{title}: time / the seed's program"
    return (
        Figure(10, seeds, contender, "elapsed_s", "seed", most=1.03),
        Figure(
            10, f"{seeds}, ninth decile", contender, "elapsed_s", "seed", most=1.06,
            ninth_decile=True,
        ),
    )  # fmt: skip


FIGURES: tuple[Figure, ...] = (
    Figure(1, "time / the seed's program", "poolrace", "elapsed_s", "seed", most=1.03),
    Figure(2, "time / the seed's program", "poolrace", "elapsed_s", "seed", most=1.5),
    Figure(2, "time / Ray's", "poolrace", "elapsed_s", "ray", most=1.0),
    Figure(3, "rate", "poolrace", "chunks_per_s", least=60_000, unit="1/s"),
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
    *_in_pairs("prefork", "prefork"),
    *_in_pairs("local processes", "processes"),
    Figure(11, "prefork: time / processes'", "prefork", "elapsed_s", "processes", most=1.06),
    Figure(12, "time of the simulation", "auto", "elapsed_s", most=60.0, unit="s"),
    Figure(12, "simulated slots", "auto", "slots_per_s", unit="1/s"),
)
"""Figures of the first table: those with targets, and those shown for comparison."""

PEER_ROWS = {1: "elapsed_s", 2: "elapsed_s", 3: "chunks_per_s"}
"""Key of the compared figure, by row, for the rows that measure all peers."""


def peer_figure(row: int, peer: str) -> Figure:
    """The figure of a peer in the table of peers and in the charts."""
    over = "seed" if PEER_ROWS[row] == "elapsed_s" else None
    return Figure(row, PEERS[peer].title, peer, PEER_ROWS[row], over)


def followed_figures() -> list[Figure]:
    """Figures that are compared with earlier results: ``FIGURES``, and those of all other peers."""
    peers = [name for name in PEERS if name not in ("seed", "poolrace")]
    ratios = [
        Figure(row, f"{PEERS[name].title}: time / the seed's", name, "elapsed_s", "seed")
        for row in (1, 2)
        for name in peers
    ]
    rates = [
        Figure(3, f"{PEERS[name].title}: rate", name, "chunks_per_s", unit="1/s") for name in peers
    ]
    return [*FIGURES, *ratios, *rates]
