"""Naming many faces in one sitting: the page, and its answers."""
