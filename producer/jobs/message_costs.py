"""The seconds that messages take, as ``auto`` expects them. Pure."""

MESSAGE_S = 0.001
"""CPU seconds that a Celery worker spends on one message, at least (measured: 0.7 to 2.7 ms)."""

PRODUCER_MESSAGE_S = 0.0002
"""CPU seconds of the producer for one message and its result."""

WAITING_CHUNK = 8.0
"""Multiple of the time of one message for each slot that a chunk which only waits takes at most,
unless other limits are longer. With 4, simulated jobs of 1 to 10 s on hundreds of greenlets take
2 % longer; with 16, as long, but no result arrives for seconds."""

WAITING_SHARE = 0.9
"""Part of a slot's share of the remaining cost that a chunk which only waits takes at most. Waits
take equally long on every slot, but the messages of a process delay the work of all its slots."""


def messages_s(slots: int, hosts: int) -> float:
    """Seconds that one message for each slot takes: hosts handle theirs at once, the producer all,
    one after the other."""
    return slots * max(MESSAGE_S / hosts, PRODUCER_MESSAGE_S)
