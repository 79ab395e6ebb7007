"""Decisions of the readiness domain."""
