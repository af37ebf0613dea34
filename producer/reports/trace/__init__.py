"""Trace events of stored results: runs and laps over time, for Perfetto and chrome://tracing."""
