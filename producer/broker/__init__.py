"""Access to Redis for the producer: connections, workers, queues, checkpoints, paused hosts."""
