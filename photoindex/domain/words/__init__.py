"""Rules about words: names of tags and albums, confidences, captions."""
