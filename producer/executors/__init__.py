"""Executors: one class per execution model, which runs the chunks of a job."""
