"""Decisions about alerts: how severities and identities are read, what a repeat is, what a silence matches."""
