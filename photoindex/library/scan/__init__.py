"""The scan: walk, ingest, refresh."""
