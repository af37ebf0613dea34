"""Statistics and verdicts, computed from stored results. Pure."""
