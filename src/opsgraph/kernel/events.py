"""Facts: what a transaction says happened, for whoever reacts to it or follows it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """Base of every recorded fact; domains declare theirs in `model.py`.

    An event is recorded in the transaction that made it true and dies with its rollback.
    """
