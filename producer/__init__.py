"""The client of ``workers``: cuts jobs into chunks, runs them, verifies and times the result."""
