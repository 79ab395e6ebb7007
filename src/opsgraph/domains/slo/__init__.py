"""What was promised: service level objectives, what was measured of them, and how much of their budget is left.

Owns SLOs, the history of their targets, the events reported for them (by minute and by hour) and their state as last
judged. Formats others define, such as OpenSLO, are read and written in `formats`.

Invariants: an SLO's name is unique within its service without case; a target lies strictly between 0 and 100; a window
is either rolling or of the calendar; an hour's row always equals what its minutes give; the stored state is judged in
the transaction that changed what it depends on, and again by `commands.refresh_states` when only time has passed.

Decisions: an SLO without events in its window is unknown, neither met nor breached. Whether a target is met is decided
on exact fractions, never on floats. Minutes and hours are counted from 1970 as whole numbers, so that the same integer
arithmetic cuts windows and slices on both databases. Whoever writes an SLO holds its row and judges it; a refresh
passes over rows that are held, so it neither waits nor overwrites.
"""
