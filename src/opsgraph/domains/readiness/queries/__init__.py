"""Reads of the readiness domain, batched by default."""
