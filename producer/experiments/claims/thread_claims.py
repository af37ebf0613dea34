"""The claims on programs of several threads. Pure data."""

from poolrace.producer.experiments.claims.claim_text import ClaimText

THREADS = (
    ClaimText(
        "server",
        "A server with many threads answers more requests than a server with one.",
        "8 clients ask an HTTP server, whose answers take 10 ms of waiting; one thread answers, or"
        " one thread for each request.",
        "server",
        (
            "one_thread_requests_per_s",
            "many_threads_requests_per_s",
            "one_thread_at_a_time_count",
            "many_threads_at_a_time_count",
        ),
    ),
    ClaimText(
        "server-computing",
        "A server with many threads does not answer more requests that compute.",
        "The same, with answers that take about 2 ms of computing.",
        "server",
        ("one_thread_computing_requests_per_s", "many_threads_computing_requests_per_s"),
    ),
    ClaimText(
        "create-thread",
        "A thread is created faster than a process.",
        "Creates, starts and joins a thread, a forked process and a spawned process, which do"
        " nothing.",
        "create",
        ("thread_s", "fork_process_s", "spawn_process_s"),
    ),
    ClaimText(
        "create-coroutine",
        "A coroutine is created faster than a thread.",
        "Creates a thread and joins it; creates an asyncio task and awaits it.",
        "create",
        ("thread_s", "coroutine_s"),
    ),
    ClaimText(
        "create-greenlet",
        "A greenlet is created faster than a thread.",
        "Creates a thread and joins it; creates a greenlet and switches to it, which ends it.",
        "create-greenlets",
        ("thread_s", "greenlet_s"),
    ),
    ClaimText(
        "create-interpreter",
        "A sub-interpreter is created faster than a process, and slower than a thread.",
        "Creates a thread and joins it; creates a sub-interpreter, executes an empty program in it"
        " and closes it; creates a spawned process and joins it.",
        "create-interpreters",
        ("thread_s", "interpreter_s", "spawn_process_s"),
    ),
    ClaimText(
        "sharing-price",
        "Threads share data at no cost; processes have to copy it or to map shared memory.",
        "Hands 8 MiB to a waiting thread by reference, to a waiting process in a new block of"
        " multiprocessing.shared_memory, and to it through a pipe; each changes one byte and"
        " answers.",
        "shared-memory",
        (
            "thread_s",
            "shared_memory_s",
            "pipe_s",
            "handovers_count",
            "shared_memory_changes_seen_count",
        ),
    ),
    ClaimText(
        "sharing-access",
        "Access to shared memory costs no more than access to memory of one's own.",
        "Writes bytes one by one into a bytearray, and into a block of"
        " multiprocessing.shared_memory; seconds per byte.",
        "shared-memory",
        ("heap_write_s", "shared_memory_write_s"),
    ),
    ClaimText(
        "switch-voluntary",
        "A switch to another thread that waits is faster than one to another process.",
        "Two threads, and two processes, pass a byte to and fro through pipes on one core; seconds"
        " per pass, and switches as counted by the operating system. no_switch_s is the time of"
        " the same calls in one thread.",
        "switch",
        (
            "thread_voluntary_s",
            "process_voluntary_s",
            "no_switch_s",
            "passes_count",
            "thread_voluntary_count",
            "process_voluntary_count",
        ),
    ),
    ClaimText(
        "switch-forced",
        "A switch between two computing threads is faster than between two processes.",
        "Two threads, and two processes, yield one core to each other with sched_yield; seconds"
        " per yield, and switches that the operating system counts as forced. no_switch_yield_s is"
        " a yield without another thread.",
        "switch",
        (
            "thread_forced_s",
            "process_forced_s",
            "no_switch_yield_s",
            "yields_count",
            "thread_forced_count",
            "process_forced_count",
        ),
    ),
    ClaimText(
        "switch-coroutine",
        "A switch between coroutines is faster than between threads.",
        "Two asyncio tasks await asyncio.sleep(0) in turn; two generators are sent values in turn;"
        " two threads pass a byte through pipes on one core; seconds per switch.",
        "switch",
        ("thread_voluntary_s", "coroutine_s", "generator_s"),
    ),
    ClaimText(
        "switch-greenlet",
        "A switch between greenlets is faster than between threads.",
        "Two greenlets switch to each other; two threads pass a byte through pipes on one core;"
        " seconds per switch.",
        "switch-greenlets",
        ("thread_voluntary_s", "greenlet_s"),
    ),
    ClaimText(
        "lone-thread",
        "In a program of several threads, a thread that runs alone can be slower.",
        "One thread computes a sum: in a program without other threads, beside 100 threads that"
        " wait for an event, and beside 10 threads that wake every millisecond; then in blocks of"
        " 100 additions, without a lock and with one around each block.",
        "lone-thread",
        ("alone_s", "beside_waiting_s", "beside_waking_s", "without_lock_s", "with_lock_s"),
    ),
    ClaimText(
        "operating-system",
        "Threads need the support of the operating system; coroutines do not.",
        "Starts 10 threads and 10 coroutines; counts the threads that the operating system has"
        " started for them.",
        "operating-system",
        ("threads_count", "thread_started_count", "coroutine_started_count"),
    ),
    ClaimText(
        "scheduling",
        "The scheduling of threads matters: it decides when a thread goes on.",
        "A thread sleeps 1 ms, again and again: alone, beside a thread that computes, and beside it"
        " with a switch interval of 0.1 ms; mean delay after the end of its sleep.",
        "scheduling",
        ("alone_delay_s", "beside_computing_delay_s", "short_interval_delay_s"),
    ),
)
"""Claims on programs of several threads."""
