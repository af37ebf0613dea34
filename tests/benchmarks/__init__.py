"""The benchmarks: every peer is exact, results are compared rightly. `make test-bench`."""
