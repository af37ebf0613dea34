"""The installation of poolrace: detects its kind, for the command that adds an extra to it."""

import json
import re
import shlex
import sys
import tomllib
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

NAME = "poolrace"

UV_TOOL_FILE = "uv-receipt.toml"
"""File that ``uv tool install`` writes into the environment of a tool."""

PIPX_FILE = "pipx_metadata.json"
"""File that ``pipx install`` writes into the environment of a tool."""

MAKE_FILE = "poolrace-stamp"
"""File that ``make install`` writes into ``.venv``."""


def why_missing(package: str) -> str:
    """The reason why a package cannot be used here, with the command that installs it.

    Empty if it is installed. The package has an extra of its name.
    """
    if find_spec(package):
        return ""
    return f"{package} is not installed; install it: {install_command(package)}"


def install_command(extra: str) -> str:
    """The command that adds an extra to the environment that this program runs in."""
    environment = Path(sys.prefix)
    try:
        installed = distribution(NAME)
    except PackageNotFoundError:
        return "make install"  # the program runs from a checkout, without an environment
    if (environment / MAKE_FILE).exists():
        return "make install"
    if (environment / UV_TOOL_FILE).exists():
        # uv removes the extras that are not named again.
        extras = sorted({extra, *_extras_of_tool(environment / UV_TOOL_FILE)})
        return f"uv tool install {shlex.quote(_requirement(installed, extras))}"
    if (environment / PIPX_FILE).exists():
        return f"pipx inject {NAME} {shlex.join(packages(installed, extra))}"
    pip = "uv pip" if _installer(installed) == "uv" else "pip"
    return f"{pip} install {shlex.quote(f'{NAME}[{extra}]')}"


def packages(installed: Distribution, extra: str) -> list[str]:
    """The names of the packages that an extra consists of."""
    marker = re.compile(rf"""extra == ['"]{re.escape(extra)}['"]""")
    return [
        re.split(r"[^\w.-]", requirement)[0]
        for requirement in installed.requires or []
        if marker.search(requirement)
    ]


def _extras_of_tool(receipt: Path) -> list[str]:
    """The extras with which ``uv tool install`` installed the program."""
    tool = tomllib.loads(receipt.read_text()).get("tool", {})
    return [
        extra
        for requirement in tool.get("requirements", [])
        if requirement["name"] == NAME
        for extra in requirement.get("extras", [])
    ]


def _requirement(installed: Distribution, extras: list[str]) -> str:
    """The requirement with extras, from the same source: an index, a directory, a repository."""
    named = f"{NAME}[{','.join(extras)}]"
    origin = json.loads(installed.read_text("direct_url.json") or "{}")
    if not origin:
        return named
    scheme = f"{origin['vcs_info']['vcs']}+" if "vcs_info" in origin else ""
    return f"{named} @ {scheme}{origin['url']}"


def _installer(installed: Distribution) -> str:
    return (installed.read_text("INSTALLER") or "").strip()
