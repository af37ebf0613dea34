"""The progress bar of a comparison in a terminal."""

import re

from tests.conftest import PATIENCE_S
from tests.terminal import Terminal


def test_one_bar_shows_all_runs_and_leaves_nothing() -> None:
    arguments = ("compare", "sum", "--stop", "3e6", "--local", "single", "--local", "threads")
    with Terminal() as terminal:
        compare = terminal.start("-m", "poolrace", *arguments, "--repeat", "3")
        bars, _, _ = terminal.read_until(b"interleaved").partition(b"sum over")
        assert compare.wait(PATIENCE_S) == 0
    text = bars.decode()
    assert "run 1 of 6" in text
    assert "run 6 of 6" in text
    assert text.count("\n") <= 2  # each bar replaces the one before in the same line
    assert not re.search(r"about [\d,]+ (min|h|days|years) left", text)
    assert "\x1b[2K" in text.rpartition("run ")[2]  # the last one is erased
