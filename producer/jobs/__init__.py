"""Jobs: a range under a workload, its ledger, and the schedules that cut it. Pure."""
