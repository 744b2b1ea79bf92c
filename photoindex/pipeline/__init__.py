"""Runs the work of all stages: plan, claim, run, commit."""
