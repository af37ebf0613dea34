"""What a race reads: items, candidates, sizes; what it refuses, and in which words."""

import pytest

from poolrace.producer.race.items import Item, read_items
from poolrace.producer.race.options import Variants, parse, pools_to_search
from poolrace.producer.results.candidate import SOLO, Candidate
from poolrace.workers.errors import UsageError


@pytest.mark.parametrize(
    ("line", "args", "kwargs"),
    [
        ("[1, 2]", [1, 2], {}),
        ("[]", [], {}),
        ('{"name": "a", "size": 2}', [], {"name": "a", "size": 2}),
        ("{}", [], {}),
        ('{"args": [1], "kwargs": {"b": 2}}', [1], {"b": 2}),
        ('{"args": [1]}', [1], {}),
        ('{"kwargs": {"args": 3}}', [], {"args": 3}),
        ('{"args": 1, "other": 2}', [], {"args": 1, "other": 2}),
        ('["äöü \\u2603"]', ["äöü ☃"], {}),
    ],
)
def test_a_line_is_arguments_keywords_or_both(
    line: str, args: list[object], kwargs: dict[str, object]
) -> None:
    assert read_items([line]) == [Item(1, args, kwargs)]


def test_empty_lines_count_as_lines_only() -> None:
    assert [it.line for it in read_items(["", "[1]\n", "  \n", "[2]"])] == [2, 4]


def test_a_limit_takes_the_first_items() -> None:
    assert [it.args for it in read_items(["[1]", "[2]", "no JSON"], limit=2)] == [[1], [2]]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("nonsense", "line 2 is no JSON"),
        ('{"a": 1', "line 2 is no JSON"),
        ("7", "line 2 is neither an array"),
        ('"text"', "line 2 is neither an array"),
        ('{"args": 1}', 'line 2: "args" must be an array'),
        ('{"args": [], "kwargs": []}', 'line 2: "args" must be an array'),
        ("[" * 100_000, "line 2 is no JSON"),
    ],
)
def test_a_line_that_is_no_item_is_named(line: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read_items(["[1]", line])


def test_no_item_at_all_is_refused() -> None:
    with pytest.raises(UsageError, match="there is no item"):
        read_items(["", "\n"])


def test_a_pool_is_a_candidate_with_slots_and_is_searched_without() -> None:
    assert [parse(text) for text in ("gevent:100", "gevent", "solo")] == [
        ("gevent", 100), ("gevent", None), ("solo", 1),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["gevent:0", "gevent:x", "gevent:-1", "fibers:2", "solo:2"])
def test_what_is_no_candidate_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text)


def test_without_a_wish_every_pool_that_is_there_is_searched() -> None:
    assert pools_to_search((), ("prefork", "threads", "solo")) == ["prefork", "threads"]
    assert pools_to_search(("threads", "gevent:5"), ("threads", "gevent")) == ["threads"]
    with pytest.raises(UsageError, match="install gevent there"):
        pools_to_search(("gevent",), ("prefork", "threads", "solo"))


def test_variants_are_every_combination_and_children_are_preforks() -> None:
    variants = Variants(workers=(1, 2), prefetch=(1, 4), max_tasks=(10,))
    assert len(variants.of("prefork", 2)) == 4
    assert {it.max_tasks for it in variants.of("threads", 2)} == {None}
    assert variants.of("prefork", 2)[0] == Candidate("prefork", 2, 1, 1, 10)


def test_a_candidate_is_an_option_of_celery_and_a_name() -> None:
    candidate = Candidate("prefork", 2, workers=3, prefetch=1, max_tasks=5)
    assert " ".join(candidate.options()) == (
        "--pool prefork --concurrency 2 --prefetch-multiplier 1 --max-tasks-per-child 5"
    )
    assert (candidate.slots, str(candidate)) == (6, "3 x prefork:2, prefetch 1, max tasks 5")
    assert str(SOLO) == "solo"
