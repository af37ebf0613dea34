"""The claims in the order of their text, each with its experiment and its figures. Pure data."""

from poolrace.producer.experiments.claims.claim_text import ClaimText
from poolrace.producer.experiments.claims.thread_claims import THREADS

__all__ = ["CLAIMS", "ClaimText"]


PROCESS = (
    ClaimText(
        "process-memory",
        "A process has code, data, a heap and a stack in its own memory.",
        "Reads the sizes of a fresh process from /proc; then creates objects of 8 MiB, and makes"
        " 500 nested calls, and reads the growth of heap and stack.",
        "memory-areas",
        ("code_bytes", "data_bytes", "stack_bytes", "heap_growth_bytes", "stack_growth_bytes"),
    ),
    ClaimText(
        "process-files",
        "Open files belong to a process: its threads share them, another process does not.",
        "A thread, or a forked process, opens 100 files; counts those that are open in the main"
        " thread.",
        "sharing",
        ("thread_files_seen_count", "process_files_seen_count"),
    ),
    ClaimText(
        "shared-heap",
        "Threads share the heap of their process; processes do not.",
        "A thread, or a forked process, appends 100 items to a list; counts those that the main"
        " thread then finds in it.",
        "sharing",
        ("thread_changes_seen_count", "process_changes_seen_count"),
    ),
    ClaimText(
        "memory-per-thread",
        "A thread takes less memory than a process, because threads share what a process has.",
        "Starts 1,000 waiting threads, 10,000 waiting coroutines, 10 forked and 3 spawned"
        " processes, each kind in a fresh process; divides the growth of resident memory by their"
        " number.",
        "memory",
        ("thread_bytes", "fork_process_bytes", "spawn_process_bytes", "coroutine_bytes"),
    ),
    ClaimText(
        "memory-per-greenlet",
        "A greenlet takes less memory than a thread.",
        "Starts 1,000 waiting threads and 10,000 greenlets, each kind in a fresh process; divides"
        " the growth of resident memory by their number.",
        "memory-greenlets",
        ("thread_bytes", "greenlet_bytes"),
    ),
    ClaimText(
        "memory-per-interpreter",
        "A sub-interpreter takes less memory than a process.",
        "Creates 3 sub-interpreters and 3 spawned processes, each kind in a fresh process; divides"
        " the growth of resident memory by their number.",
        "memory-interpreters",
        ("interpreter_bytes", "spawn_process_bytes"),
    ),
    ClaimText(
        "own-stack",
        "Each thread has a stack and a place in the program of its own.",
        "10 threads call themselves to 10 different depths and wait; counts the different stacks."
        " The size is the growth of the address space by 100 threads, divided by 100.",
        "stacks",
        ("threads_count", "stacks_count", "depths_count", "stack_size_bytes"),
    ),
)
"""Claims on what processes and threads are."""

SINGLE_THREAD = (
    ClaimText(
        "lost-updates",
        "Threads that change shared data without synchronisation lose updates.",
        "Two threads add 1 to one attribute, each 500,000 times: as counter.value += 1, and as"
        " counter.value = add_one(counter.value), which calls a function between reading and"
        " writing. Counts the additions that are missing.",
        "lost-updates",
        ("updates_count", "plain_lost_count", "call_lost_count"),
    ),
    ClaimText(
        "lock-price",
        "Controlled access to shared data prevents lost updates, and costs time.",
        "The same additions with a function call, and 150,000 of them with threading.Lock, by two"
        " threads and by one; seconds per addition.",
        "lost-updates",
        (
            "call_lost_count",
            "locked_lost_count",
            "two_threads_plain_s",
            "one_thread_call_s",
            "one_thread_locked_s",
            "two_threads_call_s",
            "two_threads_locked_s",
        ),
    ),
    ClaimText(
        "no-switches",
        "A program of one thread needs no switches between tasks.",
        "Computes a sum in one thread, and half of it in each of two threads; counts the switches"
        " that the operating system reports.",
        "compute",
        ("one_thread_switches_count", "two_threads_switches_count"),
    ),
    ClaimText(
        "one-thread-one-core",
        "One thread cannot use two cores; two processes can.",
        "Computes a sum in one thread, and half of it in each of two waiting processes; compares"
        " CPU time with elapsed time.",
        "cores",
        ("one_thread_s", "one_thread_cpu_s", "two_processes_s", "two_processes_cpu_s"),
    ),
    ClaimText(
        "two-threads-two-cores",
        "Two threads use two cores.",
        "Computes half of a sum in each of two threads; compares CPU time with elapsed time, and"
        " with the elapsed time of one thread.",
        "cores",
        ("one_thread_s", "one_thread_cpu_s", "two_threads_s", "two_threads_cpu_s"),
    ),
    ClaimText(
        "alternation",
        "Two threads take turns, so that two tasks seem to run at the same time.",
        "Two computing tasks of 40 steps, one after another in one thread and each in a thread of"
        " its own; counts the changes from one task to the other, and takes the time until both"
        " tasks have made a step.",
        "alternation",
        (
            "one_thread_changes_count",
            "two_threads_changes_count",
            "one_thread_both_began_s",
            "two_threads_both_began_s",
        ),
    ),
    ClaimText(
        "switches-cost-time",
        "Two threads can take longer than one for the same work, because they are switched.",
        "Computes half of a sum in each of two threads, with Python's switch interval of 5 ms and"
        " with one of 0.05 ms; compares times and switches with those of one thread.",
        "compute",
        (
            "one_thread_s",
            "two_threads_s",
            "short_interval_s",
            "one_thread_switches_count",
            "two_threads_switches_count",
            "short_interval_switches_count",
        ),
    ),
    ClaimText(
        "computing-alone",
        "Work that only computes is not faster with two threads than with one.",
        "Computes a sum in one thread, and half of it in each of two threads.",
        "compute",
        ("one_thread_s", "two_threads_s"),
    ),
    ClaimText(
        "computing-numpy",
        "Computing in numpy is not faster with two threads than with one.",
        "Computes sines of an array in one thread, and half as often in each of two threads; numpy"
        " releases the GIL meanwhile.",
        "compute-numpy",
        ("one_thread_s", "two_threads_s", "two_threads_cpu_s"),
    ),
    ClaimText(
        "computing-interpreters",
        "Computing in two sub-interpreters is not faster than in one thread.",
        "Computes a sum in one thread, and half of it in each of two sub-interpreters, which wait"
        " in two threads before the clock starts.",
        "compute-interpreters",
        ("one_thread_s", "two_interpreters_s", "two_interpreters_cpu_s"),
    ),
)
"""Claims on programs of one thread."""

PROCESSES_AND_COROUTINES = (
    ClaimText(
        "two-processes",
        "Two processes compute the same sum faster than one thread does.",
        "Computes a sum in one thread, and half of it in each of two waiting processes, which send"
        " their halves through a pipe.",
        "cores",
        ("one_thread_s", "one_thread_cpu_s", "two_processes_s"),
    ),
    ClaimText(
        "coroutines-wait",
        "Coroutines in one thread overlap their waiting.",
        "10 tasks wait three times for 4 ms: one after another, as coroutines together, and in"
        " threads of their own.",
        "overlap",
        ("one_by_one_waiting_s", "coroutines_waiting_s", "threads_waiting_s"),
    ),
    ClaimText(
        "coroutines-compute",
        "Coroutines in one thread do not overlap their computing.",
        "10 tasks compute three times for about 1 ms: one after another, and as coroutines"
        " together.",
        "overlap",
        ("one_by_one_computing_s", "coroutines_computing_s"),
    ),
    ClaimText(
        "generator-state",
        "A generator keeps its state between two values that it is sent.",
        "Sends 1,000 numbers to the generator of a running minimum, and counts the right answers;"
        " compares the time per number with a method that keeps its state in an attribute.",
        "generator",
        ("numbers_count", "right_answers_count", "send_s", "method_s"),
    ),
)
"""Claims on several processes, and on coroutines."""

CLAIMS: tuple[ClaimText, ...] = (*PROCESS, *SINGLE_THREAD, *THREADS, *PROCESSES_AND_COROUTINES)
"""All claims, in the order of their text."""
