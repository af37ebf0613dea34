"""Measures one experiment of the claims and prints its figures: ``PYTHON -I -S program.py NAME``.

The program runs under any Python from 3.11 on with nothing but the standard library. It prints one
JSON object: ``figures`` has a list of values for each figure's name, one value for each round;
``impossible`` says why there are none. ``--quick`` measures little, to test the program itself.
"""

import sys

EXPERIMENTS = {
    "memory-areas": "memory",
    "sharing": "sharing",
    "memory": "memory",
    "memory-greenlets": "memory",
    "memory-interpreters": "memory",
    "stacks": "stacks",
    "lost-updates": "updates",
    "compute": "computing",
    "cores": "computing",
    "compute-numpy": "computing",
    "compute-interpreters": "computing",
    "alternation": "scheduling",
    "server": "server",
    "create": "creation",
    "create-greenlets": "creation",
    "create-interpreters": "creation",
    "shared-memory": "sharing",
    "switch": "switches",
    "switch-greenlets": "switches",
    "lone-thread": "scheduling",
    "operating-system": "stacks",
    "scheduling": "scheduling",
    "overlap": "coroutines",
    "generator": "coroutines",
}
"""Experiment -> its module in ``programs``, which has a function of the experiment's name."""


def main(arguments: list[str]) -> None:
    """Measure the experiment and print its figures."""
    # A process that is started by spawn imports this file: imports at its top would count as a
    # part of the process.
    import json  # noqa: PLC0415
    import signal  # noqa: PLC0415
    from importlib import import_module  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    name, *options = arguments
    sys.path.insert(0, str(Path(__file__).parent))
    rounds = import_module("programs.rounds")
    experiment = import_module(f"programs.{EXPERIMENTS[name]}")
    # An experiment that is told to end ends its processes and removes its shared memory.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    size = rounds.QUICK if "--quick" in options else rounds.FULL
    try:
        figures, impossible = getattr(experiment, name.replace("-", "_"))(size), ""
    except rounds.ImpossibleError as error:
        figures, impossible = {}, str(error)
    sys.stdout.write(json.dumps({"figures": figures, "impossible": impossible}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
