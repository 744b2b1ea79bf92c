"""Rules about groups of faces: who may found one, what a new grouping changes, which may be one person or several."""
