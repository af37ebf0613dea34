"""The Korean pages have the commands, outputs, tables, code and links of the English ones."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.docs.languages import TRANSLATED, Section, differences, sections
from tests.docs.pages import name

PAIRS = list(TRANSLATED.items())

FORMAL = ("니다", "세요", "까")
"""Endings of sentences in 합니다체, the formal style of the Korean pages."""


def counterparts() -> list[tuple[Section, Section]]:
    """All sections of all pages, each with the one of the same place in the other language."""
    return [
        pair
        for page, korean in PAIRS
        for pair in zip(sections(page), sections(korean), strict=False)
    ]


def label(value: object) -> str:
    """The heading of a section, to name a test after it."""
    return value.heading if isinstance(value, Section) else str(value)


def only_in(one: list[str], other: list[str]) -> list[str]:
    """The items of the first list that the second one lacks."""
    return sorted((Counter(one) - Counter(other)).elements())


@pytest.mark.parametrize(("english", "korean"), PAIRS, ids=name)
def test_every_section_has_its_counterpart(english: Path, korean: Path) -> None:
    ours, theirs = sections(english), sections(korean)
    found = differences([each.number for each in ours], [each.number for each in theirs])
    headings = [each.heading for each in ours], [each.heading for each in theirs]
    assert not found, f"the headings of {korean.name} differ: {found} in {headings}"


@pytest.mark.parametrize(("english", "korean"), counterparts(), ids=label)
def test_commands_and_outputs_are_the_same(english: Section, korean: Section) -> None:
    found = differences(
        [line for block in english.blocks() for line in ["```", *block.splitlines()]],
        [line for block in korean.blocks() for line in ["```", *block.splitlines()]],
    )
    found += differences(english.samples(), korean.samples())
    assert not found, f"below {english.heading!r} the first of {len(found)} differences: {found[0]}"


@pytest.mark.parametrize(("english", "korean"), counterparts(), ids=label)
def test_tables_have_the_same_code_and_numbers(english: Section, korean: Section) -> None:
    found = differences(*([" ".join(row) for row in each.rows()] for each in (english, korean)))
    assert not found, f"rows of the table below {english.heading!r}: {found}"


@pytest.mark.parametrize(("english", "korean"), counterparts(), ids=label)
def test_sentences_have_the_same_code_and_links(english: Section, korean: Section) -> None:
    ours = [*english.spans(), *english.links()]
    theirs = [*korean.spans(), *korean.links()]
    assert not only_in(ours, theirs), f"only in English, below {english.heading!r}"
    assert not only_in(theirs, ours), f"only in Korean, below {english.heading!r}"


KOREAN_SECTIONS = [section for page in TRANSLATED.values() for section in sections(page)]


@pytest.mark.parametrize("korean", KOREAN_SECTIONS, ids=label)
def test_a_section_of_a_korean_page_has_korean_sentences_in_formal_style(korean: Section) -> None:
    assert re.search("[가-힣]다\\.", korean.prose)
    endings = re.findall(r"([가-힣]{1,2})[.?](?=\s|$)", korean.prose, re.MULTILINE)
    assert [each for each in endings if not each.endswith(FORMAL)] == []


@pytest.mark.parametrize(("page", "counterpart"), [*PAIRS, *(pair[::-1] for pair in PAIRS)])
def test_a_page_links_its_counterpart_at_its_top(page: Path, counterpart: Path) -> None:
    top = "\n".join(page.read_text().splitlines()[:4])
    assert f"]({counterpart.name})" in top, f"add a link to {counterpart.name} to {page.name}"


def test_a_changed_command_or_table_is_named() -> None:
    english = Section("## 1. Run", "```sh\na --x 1 # words\n```\n\n| `a` | 1 |\n")
    korean = Section("## 1. 실행", "```sh\na --x 2 # 말\n```\n\n| `a` | 2 |\n")
    assert differences(english.blocks(), korean.blocks()) == [
        "English: 'a --x 1\\n' - Korean: 'a --x 2\\n'"
    ]
    assert differences(english.rows()[0], korean.rows()[0]) == ["English: '1' - Korean: '2'"]
