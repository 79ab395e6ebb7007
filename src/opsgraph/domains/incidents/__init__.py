"""Incidents: what people work on when alerts fire, from opening to resolution.

Owns incidents with their status machine, the append-only timeline, notes, and the slots by which alerts are
correlated: of a service and a severity, one incident is opened at a time.

Invariants: whoever opens, raises or ends an incident locks slot, then incident, then alerts, each in sorted order;
every change writes a timeline entry in its transaction, and raises the version if somebody made it; a resolved incident
keeps its status, severity, assignee, times and alerts, and takes notes;
`alert_count` is the count of its distinct alerts.
"""
