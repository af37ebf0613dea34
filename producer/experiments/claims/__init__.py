"""Claims: statements on processes, threads and coroutines, and the experiments that test them."""
