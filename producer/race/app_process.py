"""Runs the shim in the environment of the user's app, in a process that ends with this one."""

import json
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from poolrace.producer.processes.guard import GuardedProcess, start_guarded
from poolrace.producer.race.options import Target
from poolrace.producer.race.sandbox import Sandbox
from poolrace.workers.errors import ClusterError
from poolrace.workers.settings import inherited_environment, mask

SHIM = "poolrace_shim"
"""Module name of the shim in the interpreter that runs it."""

PROBE = "poolrace_probe"
"""Module name of the probe in the interpreter that runs it."""

PROGRAMS = {
    SHIM: Path(__file__).with_name("app_shim.py"),
    PROBE: Path(__file__).with_name("app_probe.py"),
    "poolrace_settings": Path(__file__).with_name("app_settings.py"),
}
"""Module name -> file. Another interpreter runs these files; the producer never imports them."""

URL_VARIABLES = (
    "CELERY_BROKER_URL",
    "CELERY_BROKER_READ_URL",
    "CELERY_BROKER_WRITE_URL",
    "CELERY_RESULT_BACKEND",
)
"""Celery's environment variables of servers, which override any setting."""

ERROR_LINE = re.compile(r"[\w.]*(?:Error|Exception|Exit|Interrupt)(?:: .*)?")
"""Pattern of the last line of a traceback."""

LOG_LINES = 12
"""Lines of the log, at most, that an error message shows."""

NOTHING_LOGGED = "it logged nothing"
"""The end of an empty log, in words."""

LOG_TAIL_BYTES = 2**14
"""Bytes of the end of the log in which these lines are searched."""


class AppProcess:
    """A process that runs the shim, with a private directory for its files.

    The directory and the process begin with ``create_directory`` and ``start``, and end with
    ``stop``, which works in every state.
    """

    def __init__(self, target: Target, sandbox: Sandbox) -> None:
        self.pid = 0
        """Process id of the shim once it has started."""
        self._target = target
        self._sandbox = sandbox
        self._directory: Path | None = None
        self._process: GuardedProcess | None = None

    def create_directory(self) -> Path:
        """Create the private directory, with copies of the programs in it; returns its path."""
        self._directory = Path(tempfile.mkdtemp(prefix="poolrace-race-"))
        (self._directory / "code").mkdir()
        (self._directory / "tmp").mkdir()
        for module, path in PROGRAMS.items():
            shutil.copyfile(path, self._program(module))
        return self._directory

    def start(self, program: str, arguments: Sequence[str], config: Mapping[str, Any]) -> None:
        """Start ``SHIM`` or ``PROBE`` with command-line arguments and configuration.

        Raises ``ClusterError`` if the interpreter does not start.
        """
        command = [self._target.python, str(self._program(program)), *arguments]
        with self._log.open("ab") as log:  # its guard empties it when it gets too long
            try:
                self._process = start_guarded(
                    command,
                    self.directory,
                    cwd=self._target.directory,
                    environment=self._environment(config),
                    log=log,
                )
            except ChildProcessError as error:
                raise ClusterError(
                    f"{self._target.python} did not start: {self.log_tail()}"
                ) from error
        self.pid = self._process.pid

    @property
    def directory(self) -> Path:
        """The private directory; raises ``RuntimeError`` before it was created."""
        if self._directory is None:
            raise RuntimeError("the directory of this process was not created")
        return self._directory

    @property
    def ended(self) -> bool:
        """Whether the process has ended, or was never started."""
        return self._process is None or self._process.ended

    def log_tail(self) -> str:
        """The last lines of its log, without passwords."""
        if self._directory is None or not self._log.exists():
            return "it was not started"
        with self._log.open("rb") as log:
            log.seek(max(0, self._log.stat().st_size - LOG_TAIL_BYTES))
            lines = log.read().decode(errors="replace").strip().splitlines()
        return mask("\n".join(lines[-LOG_LINES:])) or NOTHING_LOGGED

    def last_error(self) -> str:
        """The last error in its log, else how it ended and the last line."""
        line = last_line(self.log_tail())
        ending = self._process.ending if self._process and self._process.ended else ""
        if ERROR_LINE.fullmatch(line) or not ending:
            return line
        return ending if line == NOTHING_LOGGED else f"{ending}: {line}"

    def logged_error(self) -> str:
        """The last error in its log; empty if there is none."""
        line = last_line(self.log_tail())
        return line if ERROR_LINE.fullmatch(line) else ""

    def request_stop(self, *, kill: bool = False) -> None:
        """Have the process end, without waiting for it; ``kill``: by SIGKILL at once."""
        if self._process:
            self._process.release(kill=kill)

    def stop(self) -> None:
        """End the process and all its descendants, and remove the directory."""
        if self._process:
            self._process.stop()
        if self._directory:
            # The guard has removed it already, unless the guard was killed.
            shutil.rmtree(self._directory, ignore_errors=True)

    def _program(self, module: str) -> Path:
        return self.directory / "code" / f"{module}.py"

    @property
    def _log(self) -> Path:
        return self.directory / "log"

    def _environment(self, config: Mapping[str, Any]) -> dict[str, str]:
        """Environment of the shim: the producer's, and the race's configuration and Redis.

        Celery's own variables override any configuration, so the app's Redis is never contacted.
        """
        inherited = inherited_environment()
        shim_config = {
            "app": self._target.app,
            "task": self._target.task,
            "url": self._sandbox.url,
            "prefix": self._sandbox.prefix,
            "variables": URL_VARIABLES,
            "own_brokers": [inherited.get(name) for name in URL_VARIABLES],
            "own_backend": inherited.get("CELERY_RESULT_BACKEND"),
            "pipe": None,
            "pool": None,
            "directory_on_path": celery_command(self._target.python) != ["celery"],
            **config,
        }
        return {
            **inherited,
            **dict.fromkeys(URL_VARIABLES, self._sandbox.url),
            "POOLRACE_RACE": json.dumps(shim_config),
            # Temporary files of a killed worker are removed, too.
            "TMPDIR": str(self.directory / "tmp"),
        }


def last_line(text: str) -> str:
    """The last line that names an error, else the last line."""
    lines = text.strip().splitlines() or [""]
    errors = [line for line in lines if ERROR_LINE.fullmatch(line.strip())]
    return (errors or lines)[-1].strip()


def celery_command(python: str) -> list[str]:
    """Shell command for Celery: ``celery`` if PATH leads to that of the interpreter,
    else ``PYTHON -m celery``."""
    beside = Path(shutil.which(python) or python).with_name("celery")
    on_path = shutil.which("celery")
    if on_path and Path(on_path) == beside:
        return ["celery"]
    return [python, "-m", "celery"]
