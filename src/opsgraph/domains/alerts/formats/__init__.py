"""Readers of the formats in which alerts arrive: bytes and headers to `AlertReport`s. Pure."""
