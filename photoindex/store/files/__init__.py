"""Files, locations and volumes."""
