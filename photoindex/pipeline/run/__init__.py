"""The runner of all stages, and the executors that run its batches."""
