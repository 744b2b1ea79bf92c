"""Rules about words: what a model's answer says."""
