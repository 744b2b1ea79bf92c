"""Which source of a fact is believed."""
