"""The offline gazetteer: names of positions and positions of names."""
