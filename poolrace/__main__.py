"""``python -m poolrace``: the same command line as ``producer``."""

from poolrace.producer.__main__ import main

if __name__ == "__main__":
    main()
