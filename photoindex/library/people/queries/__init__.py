"""What queries and shells ask about people: names, and who is in a picture."""
