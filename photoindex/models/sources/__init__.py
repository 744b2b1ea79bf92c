"""Where models come from: hub, folder, bundle; and their installation."""
