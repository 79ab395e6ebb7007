"""Giving alerts of a name that nobody had registered to the service that has it now."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import bindparam, select, update

from opsgraph.domains.alerts.tables import alerts
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.storage.transactions import Tx

MOST_AT_ONCE = 5_000
"""How many one transaction gives away; the rest is found by whoever settles what time does."""

_ADOPT = update(alerts).where(alerts.c.id == bindparam("alert_id")).values(service_id=bindparam("adopter_id"))


async def adopt(tx: Tx, service_ids: Collection[UUID]) -> int:
    """Give alerts whose service was not registered to whichever of these has its name; gives how many there were.

    Their incidents were adopted before. Two statements.
    """
    named = catalog_services.named_services().subquery()
    orphans = select(alerts.c.id, named.c.service_id).join(named, named.c.name_key == alerts.c.service_key)
    orphans = orphans.where(alerts.c.service_id.is_(None), named.c.service_id.in_(service_ids))
    locked = orphans.order_by(alerts.c.id).limit(MOST_AT_ONCE).with_for_update(key_share=True, of=alerts)
    rows = (await tx.connection.execute(locked)).all()
    if rows:
        found = [{"alert_id": row.id, "adopter_id": row.service_id} for row in rows]
        await tx.connection.execute(_ADOPT, found)
    return len(rows)
