"""Rules of unattended work: estimates, windows, when to wait."""
