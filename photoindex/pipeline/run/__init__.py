"""The one runner of every stage, and the executors that its batches run on."""
