"""The tour has ten questions with answers, and its outputs are compared in shape."""

import re

import pytest

from tests.docs.pages import DOCS
from tests.docs.tours import TOUR, VARYING, Section, sections, shape

SECTIONS = sections()
TABLES = [each for each in SECTIONS if "\n---" in each.output]


def test_the_tour_has_ten_questions_each_with_a_command_of_the_program() -> None:
    assert [each.heading.split(".")[0] for each in SECTIONS] == [str(n) for n in range(1, 11)]
    assert all(each.heading.endswith("?") for each in SECTIONS)
    assert all(each.command.startswith("producer ") for each in SECTIONS)
    assert TOUR.read_text().count("\n**Look at** ") == 10
    assert TOUR.read_text().count("\n**Answer:** ") == 10


def test_the_tour_ends_at_the_task_and_the_job_of_the_reader() -> None:
    assert SECTIONS[-1].command.startswith("producer race -A tasks ")
    _, _, end = TOUR.read_text().partition("\n## Your own job\n")
    assert "](how-to/extend.md#a-workload)" in end
    assert "\n## A workload\n" in (DOCS / "how-to" / "extend.md").read_text()


@pytest.mark.parametrize("section", SECTIONS, ids=str)
def test_an_output_with_other_figures_has_the_same_shape(section: Section) -> None:
    lines = section.output.splitlines()
    others = [re.sub(r"(?<=\d)\.\d+(?= |$)", ".25", line) for line in lines]
    assert others != lines or not re.search(r"\d\.\d+( |$)", section.output, re.MULTILINE)
    assert shape("\n".join(others)) == shape(section.output)


@pytest.mark.parametrize("section", TABLES, ids=str)
def test_an_output_with_another_column_or_row_has_another_shape(section: Section) -> None:
    lines = section.output.splitlines()
    rule = next(place for place, line in enumerate(lines) if line.startswith("---"))
    renamed = [*lines[: rule - 1], lines[rule - 1] + "  new", *lines[rule:]]
    assert shape("\n".join(renamed)) != shape(section.output)
    without_row = [*lines[: rule + 1], *lines[rule + 2 :]]
    assert shape("\n".join(without_row)) != shape(section.output)


@pytest.mark.parametrize("word", ["start-up", "exact in all", "repeat it", "Flower:"])
def test_an_output_with_another_sentence_has_another_shape(word: str) -> None:
    found = [each.output for each in SECTIONS if word in each.output]
    assert found
    for output in found:
        assert shape(output.replace(word, "changed")) != shape(output)


@pytest.mark.parametrize("begin", VARYING)
def test_a_sentence_that_differs_from_machine_to_machine_is_on_the_page(begin: str) -> None:
    assert re.search(begin, TOUR.read_text(), re.MULTILINE)
