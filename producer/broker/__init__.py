"""Everything that the producer reads and writes in Redis."""
