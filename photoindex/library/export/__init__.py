"""Pictures of an answer: gallery page and contact sheet."""
