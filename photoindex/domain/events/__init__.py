"""Cutting a library into days and trips."""
