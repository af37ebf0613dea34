"""A module that a task imports while it runs."""

RATE = 3
