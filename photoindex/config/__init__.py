"""Settings: schema, layers, environment and files, secrets."""
