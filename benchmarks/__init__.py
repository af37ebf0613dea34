"""Benchmarks of poolrace and its peers: other tools that compute the same range in chunks."""
