"""Jobs, their ledgers, and the schedules that cut a range into chunks. Pure."""
