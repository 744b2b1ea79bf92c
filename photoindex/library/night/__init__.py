"""Unattended work: runs, schedules, measurements."""
