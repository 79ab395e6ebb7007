"""Journeys that write to several domains in one transaction, and what follows from recorded events.

Only this package calls the commands of several domains. A workflow takes the transaction; its caller, at an edge,
begins and ends it.
"""
