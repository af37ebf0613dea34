"""Names of slots and hosts are sorted in natural order."""

from poolrace.producer.results.natural_order import natural_key


def test_numbers_within_a_name_are_compared_as_numbers() -> None:
    slots = ["28297.10", "28297.2", "28297.1", "9.3", "28297"]
    assert sorted(slots, key=natural_key) == ["9.3", "28297", "28297.1", "28297.2", "28297.10"]
    assert sorted(["prefork-10", "gevent-2", "prefork-9"], key=natural_key) == [
        "gevent-2", "prefork-9", "prefork-10",
    ]  # fmt: skip


def test_names_with_any_characters_have_an_order() -> None:
    names = ["", "9" * 5000, "a", "007", "7", "\u0663", "1a", "a1"]
    ordered = sorted(names, key=natural_key)
    assert ordered[0] == ""
    assert ordered.index("7") < ordered.index("9" * 5000)
