"""Writes of the alerts domain."""
