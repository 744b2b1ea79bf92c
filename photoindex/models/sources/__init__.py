"""Sources of models (hub, local folder, bundle) and their installation."""
