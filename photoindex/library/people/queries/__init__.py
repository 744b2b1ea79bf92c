"""What queries and shells ask about people: names, and whom a picture shows."""
