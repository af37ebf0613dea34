"""Experiments: plan, run, measure and resume jobs under execution models."""
