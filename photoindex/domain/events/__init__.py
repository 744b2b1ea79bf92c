"""Grouping photos into sessions and trips, and naming them."""
