"""Check sizes: no Python file of the repository above 300 lines, no function above 50."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

FILE_LINES = 300
FUNCTION_LINES = 50


def too_long(path: Path) -> Iterator[str]:
    """A line for the file and for each of its functions that exceed their limit."""
    text = path.read_text(encoding="utf-8")
    if (lines := len(text.splitlines())) > FILE_LINES:
        yield f"{path}: {lines} lines, limit {FILE_LINES}; split the file"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                place = f"{path}:{node.lineno}: {node.name}"
                yield f"{place} has {lines} lines, limit {FUNCTION_LINES}; split the function"


def main() -> None:
    """Check all files that git tracks, or would track."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"]
    names = subprocess.run(listed, check=True, capture_output=True, text=True).stdout.splitlines()
    paths = [path for name in names if (path := Path(name)).exists()]
    complaints = [line for path in paths for line in too_long(path)]
    sys.stderr.write("".join(f"{line}\n" for line in complaints))
    sys.exit(bool(complaints))


if __name__ == "__main__":
    main()
