"""A program in the environment of the user's app, which ends with us whatever happens."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from poolrace.producer.processes import guard
from poolrace.producer.race.sandbox import Sandbox
from poolrace.workers.errors import ClusterError
from poolrace.workers.settings import inherited_environment, mask

SHIM = Path(__file__).with_name("shim.py")
"""Never imported here: it is for another interpreter."""

MODULE = "poolrace_shim"
"""The shim's name where it runs."""

LAST_LINES = 12


@dataclass(frozen=True)
class Target:
    """The user's app: where it is found, and which task of it runs."""

    app: str
    """As ``celery -A`` takes it."""
    task: str
    python: str
    """The interpreter of the app's environment."""
    directory: Path
    """Where its workers run."""


class AppProcess:
    """A process that runs the shim, with a private directory for its files."""

    def __init__(self, target: Target, place: Sandbox, config: dict[str, Any]) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="poolrace-race-"))
        self._target = target
        self._place = place
        self._config = config
        self._process: subprocess.Popen[bytes] | None = None
        code = self.directory / "code"
        code.mkdir()
        shutil.copyfile(SHIM, code / f"{MODULE}.py")
        self._program = code / f"{MODULE}.py"
        self.pid = 0
        self._over = False

    def add(self, **config: str) -> None:
        """Tell the shim more, before it starts."""
        self._config |= config

    def start(self, *arguments: str) -> None:
        """Start the shim; ``pid`` is then its process."""
        command = [sys.executable, "-E", "-P", guard.__file__, str(self.directory)]
        with (self.directory / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [*command, self._target.python, str(self._program), *arguments],
                cwd=self._target.directory,
                env=self._environment(),
                start_new_session=True,  # out of reach of the terminal's Ctrl-C
                bufsize=0,  # what it says is read where it is asked for, not ahead
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        word, _, number = self._output.readline().decode().partition(" ")
        if word != "pid":
            raise ClusterError(f"{self._target.python} did not start: {self.last_words()}")
        self.pid = int(number)
        os.set_blocking(self._output.fileno(), False)

    @property
    def ended(self) -> bool:
        """Whether the program is gone, or never was."""
        self._over = self._over or self._process is None or self._says_so()
        return self._over

    def _says_so(self) -> bool:
        """The leash says so, or is gone itself: then its output is at its end."""
        said: bytes | None = self._output.read(64)
        return said is not None and (said == b"" or said.startswith(b"ended"))

    def last_words(self) -> str:
        """The last lines that it logged, without passwords."""
        lines = (self.directory / "log").read_text(errors="replace").strip().splitlines()
        return mask("\n".join(lines[-LAST_LINES:])) or "it said nothing"

    def let_go(self) -> None:
        """Have it end, without waiting."""
        if self._process and self._process.stdin:
            self._process.stdin.close()

    def stop(self) -> None:
        """End it with all it started, and remove its directory."""
        self.let_go()
        if self._process:
            self._process.wait()
            self._output.close()
        # The leash has removed it, unless somebody killed the leash.
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def _output(self) -> Any:
        return self._process.stdout if self._process else None

    def _environment(self) -> dict[str, str]:
        """Ours; Celery's own variables go before any configuration, so nothing leads elsewhere."""
        inherited = inherited_environment()
        config = {
            "app": self._target.app,
            "task": self._target.task,
            "url": self._place.url,
            "prefix": self._place.prefix,
            "own_backend": inherited.get("CELERY_RESULT_BACKEND"),
            "pipe": None,
            "pool": None,
            **self._config,
        }
        names = ("BROKER_URL", "BROKER_READ_URL", "BROKER_WRITE_URL", "RESULT_BACKEND")
        urls = {f"CELERY_{name}": self._place.url for name in names}
        return {
            **inherited,
            **urls,
            "POOLRACE_RACE": json.dumps(config),
            "TMPDIR": str(self.directory),  # what a killed worker leaves behind goes with it
        }
