"""Removing verdicts that were kept long enough."""

from datetime import datetime

from sqlalchemy import delete, exists, select

from opsgraph.domains.readiness.tables import overrides, states, verdicts
from opsgraph.kernel.ids import earliest
from opsgraph.storage.pruning import pruning
from opsgraph.storage.transactions import Tx

AT_ONCE = 1_000
"""How many verdicts one transaction removes at most."""


async def prune(tx: Tx, before: datetime) -> int:
    """Remove verdicts of before an instant, oldest first, at most 1,000; gives how many it were.

    The newest on each service stays, and so does what an override took the place of.
    """
    newest = exists().where(states.c.verdict_id == verdicts.c.id)
    overridden = exists().where(overrides.c.verdict_id == verdicts.c.id)
    # By id, which sorts by when it was made.
    old = select(verdicts.c.id).where(verdicts.c.id < earliest(before), ~newest, ~overridden)
    ids = (await tx.connection.execute(old.order_by(verdicts.c.id).limit(AT_ONCE))).scalars().all()
    if not ids:
        return 0
    async with pruning(tx):
        return (await tx.connection.execute(delete(verdicts).where(verdicts.c.id.in_(ids)))).rowcount
