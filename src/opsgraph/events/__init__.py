"""The append-only event log, and feeds that follow it: replayed from a cursor, then live, nothing lost, nothing twice.

    log      appends a transaction's entries just before its commit, and reads them back
    feed     follows topics from a cursor on
    hub      wakes followers: in this process after a commit, across processes by hints that may be lost

docs/decisions/0010-an-event-log-in-the-order-of-commits.md tells how order is kept with several writers.
"""
