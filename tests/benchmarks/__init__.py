"""Tests of the benchmarks: `make test-bench`."""
