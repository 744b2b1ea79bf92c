"""Counts photos by year, camera, place and so on, and plots the numbers."""
