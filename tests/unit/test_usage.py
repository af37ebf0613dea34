"""Resource usage of process trees."""

import subprocess
import sys

from poolrace.workers.usage import usage_of_tree
from tests.conftest import wait_until

BURN_S = 0.2

BURN = f"import time\nwhile time.process_time() < {BURN_S}: pass"

PARENT = f"""
import subprocess, sys
subprocess.run([sys.executable, "-S", "-c", {BURN!r}])
sys.stdin.read()
"""
"""A process that has waited for a child, and goes on."""

GRANDPARENT = f"""
import subprocess, sys
subprocess.run([sys.executable, "-S", "-c", {PARENT!r}])
"""


def test_the_usage_of_a_tree_contains_what_its_descendants_have_waited_for() -> None:
    command = [sys.executable, "-S", "-c", GRANDPARENT]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        try:
            wait_until(lambda: usage_of_tree(process.pid).cpu_s >= BURN_S)
        finally:
            process.communicate(timeout=20)
