"""Experiments: plan, run and measure jobs under execution models."""
