"""Decisions of the SLO domain: what is accepted, how totals add up, and what they say about the promise."""
