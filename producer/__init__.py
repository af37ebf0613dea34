"""The client of ``workers``: cuts jobs into chunks, runs them, proves and measures the result."""
