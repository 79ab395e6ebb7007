"""Background work: each worker is one `tick(ctx, now)` that does what is due and says how much it did.

Any number of processes may run them on one database; a tick that finds nothing due does nothing.
"""
