"""The measuring programs of the claims. Standard library only, and no import of poolrace.

They also run as the package ``programs``, so their imports of each other are relative.
Threads that wait are daemon threads: a program that is told to end does not wait for them.
"""
