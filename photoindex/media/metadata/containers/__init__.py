"""One module per container format: where its metadata blocks are, and its own tags."""
