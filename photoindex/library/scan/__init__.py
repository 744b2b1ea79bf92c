"""Scans originals: walk, ingest, refresh."""
