"""Stored health stays fresh when many write at once."""
