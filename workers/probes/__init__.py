"""Probes: programs that measure what threads, processes and coroutines cost under a Python.

A probe is a name in ``program.EXPERIMENTS``. No code comes from outside: a message has that name.
"""
