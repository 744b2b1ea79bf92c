"""How work gets done for any stage: plan, claim, run, commit."""
