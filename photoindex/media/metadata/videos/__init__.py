"""Facts in the containers of videos."""
