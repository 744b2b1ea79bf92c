"""One module a container: where its metadata blocks lie and what it states itself."""
