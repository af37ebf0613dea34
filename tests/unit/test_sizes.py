"""The check of sizes names files and functions that are too long."""

import runpy
from pathlib import Path

import pytest

CHECK = runpy.run_path(str(Path(__file__).parents[1] / "sizes.py"))


def function(name: str, lines: int) -> str:
    """Source text of a function with the given number of lines."""
    return f"def {name}():\n" + "    pass\n" * (lines - 1)


@pytest.mark.parametrize(
    ("text", "complaints"),
    [
        ("pass\n" * 300, []),
        ("pass\n" * 301, ["{path}: 301 lines, limit 300; split the file"]),
        (function("short", 50), []),
        (
            function("short", 50) + function("long", 51),
            ["{path}:51: long has 51 lines, limit 50; split the function"],
        ),
    ],
    ids=["a file at the limit", "a long file", "a function at the limit", "a long function"],
)
def test_only_a_file_or_function_above_its_limit_is_named(
    text: str, complaints: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "module.py"
    path.write_text(text)
    assert list(CHECK["too_long"](path)) == [line.format(path=path) for line in complaints]
