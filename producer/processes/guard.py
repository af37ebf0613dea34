"""Keeps a temporary cluster from outliving us.

``python -m poolrace.producer.processes.guard DIRECTORY``

Runs the supervisor of the cluster in DIRECTORY until standard input ends, which it does when
the producer closes it or dies in whatever way. Then it ends the cluster and removes the
directory. Logs and configuration of a temporary cluster are gone with it.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

from poolrace.producer.processes.session import end

STOP_S = 3.0


def supervisor_command(directory: Path) -> list[str]:
    """The supervisor's command line."""
    conf = str(directory / "supervisord.conf")
    return [sys.executable, "-m", "supervisor.supervisord", "--configuration", conf]


def main(directory: Path) -> None:
    """Guard the cluster in ``directory``. Must be the first process of its session."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)  # the pipe alone decides
    tethered = [
        sys.executable,
        "-m",
        "poolrace.producer.processes.die_with_parent",
        *supervisor_command(directory),
    ]
    supervisor = subprocess.Popen(tethered, stdin=subprocess.DEVNULL)
    owner_gone = threading.Thread(target=sys.stdin.buffer.read, daemon=True)
    owner_gone.start()
    while owner_gone.is_alive() and supervisor.poll() is None:
        owner_gone.join(timeout=0.2)
    end(os.getsid(0), supervisor.pid, directory, STOP_S)
    supervisor.wait()
    shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
