"""Removing events that were kept long enough, from the beginning of the log on."""

from datetime import datetime

from sqlalchemy import delete, func, select, true, update

from opsgraph.events.log import LOG
from opsgraph.events.tables import event_logs, events
from opsgraph.storage.pruning import pruning
from opsgraph.storage.transactions import Tx

AT_ONCE = 10_000
"""How many events one transaction removes at most."""


async def prune(tx: Tx, before: datetime) -> int:
    """Remove events of before an instant, at most 10,000, and note through which place; gives how many it were.

    Only a beginning of the log is removed: what came after a place is there as a whole or is known to be gone. An event
    therefore stays while one that was logged before it is too young to go.
    """
    await tx.connection.execute(select(event_logs.c.name).where(event_logs.c.name == LOG).with_for_update())
    through = await _last_to_go(tx, before)
    if through is None:
        return 0
    async with pruning(tx):
        removed = (await tx.connection.execute(delete(events).where(events.c.id <= through))).rowcount
    await tx.connection.execute(update(event_logs).where(event_logs.c.name == LOG).values(pruned_through=through))
    return removed


async def _last_to_go(tx: Tx, before: datetime) -> int | None:
    oldest = select(events.c.id, events.c.recorded_at).order_by(events.c.id).limit(AT_ONCE).cte("oldest")
    first_to_stay = select(func.min(oldest.c.id)).where(oldest.c.recorded_at >= before).scalar_subquery()
    goes = func.coalesce(oldest.c.id < first_to_stay, true())
    found: int | None = (await tx.connection.execute(select(func.max(oldest.c.id)).where(goes))).scalar_one()
    return found
