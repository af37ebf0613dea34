"""``python -m poolrace``: the same command line as ``producer``."""

from poolrace.producer.entry import main

if __name__ == "__main__":
    main()
