"""Which sidecar belongs to which photo."""
