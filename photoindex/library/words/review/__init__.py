"""Judging many tags of models in one sitting: the page, and its answers."""
