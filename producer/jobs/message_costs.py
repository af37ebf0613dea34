"""The seconds that messages take, as ``auto`` expects them. Pure."""

MESSAGE_S = 0.001
"""CPU seconds that a Celery worker spends on one message, at least (measured: 0.7 to 2.7 ms)."""

PRODUCER_MESSAGE_S = 0.0002
"""CPU seconds of the producer for one message and its result."""

AHEAD_S = 0.1
"""Seconds of work in flight beyond the running chunks, so that no slot waits for a message: many
times the 2 to 10 ms (measured) that a Celery message takes to arrive."""

WAITING_CHUNK = 8.0
"""Multiple of the time of one message for each slot that a chunk which only waits takes at most,
unless other limits are longer. With 4, simulated jobs of 1 to 10 s on hundreds of greenlets take
2 % longer; with 16, as long, but no result arrives for seconds."""

WAITING_SHARE = 0.9
"""Part of a slot's share of the remaining cost that a chunk which only waits takes at most. Waits
take equally long on every slot, but the messages of a process delay the work of all its slots."""

UNFINISHED_SHARE = 0.75
"""Part of a slot's share of the unfinished cost that a chunk which only waits takes if one message
for each slot takes longer. With less, thousands of greenlets get several chunks each."""


def messages_s(slots: int, hosts: int) -> float:
    """Seconds that one message for each slot takes: hosts handle theirs at once, the producer all,
    one after the other. No host counts as one."""
    return slots * max(MESSAGE_S / max(hosts, 1), PRODUCER_MESSAGE_S)


def waiting_cost(rest: float, unfinished: float, messages: float) -> float:
    """The cost of a chunk that only waits.

    ``rest`` is a slot's share of the cost not cut yet, ``unfinished`` that of the cost without a
    result, ``messages`` the cost that a slot does while each slot gets a message.
    """
    most = min(WAITING_SHARE * rest, WAITING_CHUNK * messages)
    return max(most, min(UNFINISHED_SHARE * unfinished, messages))
