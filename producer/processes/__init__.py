"""Control of operating-system processes: start, guard, wait, end."""
