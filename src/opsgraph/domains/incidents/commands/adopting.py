"""Giving incidents of a name that nobody had registered to the service that has it now."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import bindparam, select, update

from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.incidents.tables import incidents
from opsgraph.storage.transactions import Tx

MOST_AT_ONCE = 5_000
"""How many one transaction gives away; the rest is found by whoever settles what time does."""

_ADOPT = (
    update(incidents)
    .where(incidents.c.id == bindparam("incident_id"))
    .values(service_id=bindparam("adopter_id"), updated_at=bindparam("now"))
)


async def adopt(tx: Tx, service_ids: Collection[UUID]) -> int:
    """Give incidents whose service was not registered to whichever of these has its name; gives how many there were.

    Nobody changed the incidents, and their versions stay. Two statements.
    """
    named = catalog_services.named_services().subquery()
    orphans = select(incidents.c.id, named.c.service_id).join(named, named.c.name_key == incidents.c.service_key)
    orphans = orphans.where(incidents.c.service_id.is_(None), named.c.service_id.in_(service_ids))
    locked = orphans.order_by(incidents.c.id).limit(MOST_AT_ONCE).with_for_update(key_share=True, of=incidents)
    rows = (await tx.connection.execute(locked)).all()
    if rows:
        found = [{"incident_id": row.id, "adopter_id": row.service_id, "now": tx.now} for row in rows]
        await tx.connection.execute(_ADOPT, found)
    return len(rows)
