"""Reading originals in worker processes and recording them."""
