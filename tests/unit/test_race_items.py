"""Reading of items and of ``--pool``, and the messages for invalid ones."""

import pytest

from poolrace.producer.race.items import Item, digest, read_items
from poolrace.producer.race.options import Variants, parse_pool, pools_to_search
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


def test_empty_lines_are_numbered_but_hold_no_item() -> None:
    assert [item.line for item in read_items(["", "[1]\n", "  \n", "[2]"])] == [2, 4]


def test_a_limit_takes_the_first_items() -> None:
    assert [item.args for item in read_items(["[1]", "[2]", "no JSON"], limit=2)] == [[1], [2]]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("nonsense", "line 2 is not JSON"),
        ('{"a": 1', "line 2 is not JSON: Expecting ',' delimiter at character 8; '{\"a\": 1'"),
        ("7", "line 2 is neither an array"),
        ('"text"', "line 2 is neither an array"),
        ('{"args": 1}', 'line 2: "args" must be an array'),
        ('{"args": [], "kwargs": []}', 'line 2: "args" must be an array'),
        ("[" * 100_000, "line 2 is not JSON"),
    ],
)
def test_the_message_for_an_invalid_line_has_its_number(line: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_items(["[1]", line])


def test_the_digest_of_items_depends_on_their_arguments_only() -> None:
    items = read_items(['{"a": 1, "b": 2}', "[1]"])
    same = read_items(["", "[1]", '{"kwargs": {"b": 2, "a": 1}}'])
    assert digest(items) == digest(same) != digest(read_items(["[1]", '{"a": 1, "b": 3}']))


def test_a_file_without_items_is_refused() -> None:
    with pytest.raises(UsageError, match="there is no item"):
        read_items(["", "\n"])


def test_a_pool_with_slots_is_a_candidate_and_without_slots_is_searched() -> None:
    assert [parse_pool(text) for text in ("gevent:100", "gevent", "solo")] == [
        ("gevent", 100), ("gevent", None), ("solo", 1),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["gevent:0", "gevent:x", "gevent:-1", "fibers:2", "solo:2"])
def test_an_invalid_candidate_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_pool(text)


def test_without_the_option_every_available_pool_is_searched() -> None:
    assert pools_to_search((), ("prefork", "threads", "solo")) == ["prefork", "threads"]
    assert pools_to_search(("threads", "gevent:5"), ("threads", "gevent")) == ["threads"]
    with pytest.raises(UsageError, match="install gevent there"):
        pools_to_search(("gevent",), ("prefork", "threads", "solo"))


def test_variants_are_all_combinations_and_only_prefork_has_children() -> None:
    variants = Variants(workers=(1, 2), prefetch=(1, 4), max_tasks=(10,))
    assert len(variants.candidates("prefork", 2)) == 4
    assert {candidate.max_tasks for candidate in variants.candidates("threads", 2)} == {None}
    assert variants.candidates("prefork", 2)[0] == Candidate("prefork", 2, 1, 1, 10)


def test_a_candidate_has_options_of_celery_and_a_name() -> None:
    candidate = Candidate("prefork", 2, workers=3, prefetch=1, max_tasks=5)
    assert " ".join(candidate.options()) == (
        "--pool prefork --concurrency 2 --prefetch-multiplier 1 --max-tasks-per-child 5"
    )
    assert (candidate.slots, str(candidate)) == (6, "3 x prefork:2, prefetch 1, max tasks 5")
    assert str(SOLO) == "solo"
