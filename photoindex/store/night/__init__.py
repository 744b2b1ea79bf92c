"""Rows of unattended work: the ledger, measurements, proofs of originals, reports of runs."""
