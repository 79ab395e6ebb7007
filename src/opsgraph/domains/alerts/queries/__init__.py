"""Reads of the alerts domain."""
