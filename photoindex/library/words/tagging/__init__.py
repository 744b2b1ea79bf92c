"""Tags, objects and sensitive pictures that models find: `photoindex tag auto`."""
