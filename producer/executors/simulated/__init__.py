"""The simulated executor: the real protocol and dispatch, in virtual time on simulated slots."""
