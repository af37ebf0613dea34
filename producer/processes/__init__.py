"""Operating-system processes: start, guard, wait, end."""
