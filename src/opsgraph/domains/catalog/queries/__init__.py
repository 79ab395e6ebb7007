"""Reads of the catalog domain, batched by default."""
