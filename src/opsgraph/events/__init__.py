"""The append-only event log, and feeds that follow it: replayed from a cursor, then live, nothing lost, nothing twice.

    log      appends a transaction's entries just before its commit, and reads them back
    cursors  the places of the log as clients keep them
    pruning  removes the beginning of the log once it was kept long enough
    feed     follows topics from a place on
    tail     reads what is new once for all who follow live, into a window of the newest events
    hub      wakes the tail: in this process after a commit, across processes by hints on a line that may be lost

docs/decisions/0010-an-event-log-in-the-order-of-commits.md tells how order is kept with several writers.
"""
