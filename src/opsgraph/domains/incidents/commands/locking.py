"""Locking incidents: after their slots, before their alerts, in the order of their ids."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select

from opsgraph.domains.incidents.model import Incident
from opsgraph.domains.incidents.queries.incidents import INCIDENT, incident_of
from opsgraph.domains.incidents.tables import incidents
from opsgraph.storage.transactions import Tx
from opsgraph.storage.writing import in_chunks

_AT_ONCE = 10_000


async def lock_incidents(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Incident]:
    """Lock incidents until the transaction ends; gives them as they are now, without ids of nothing.

    Others may refer to them meanwhile. On SQLite a write transaction already excludes every other writer.
    """
    found: dict[UUID, Incident] = {}
    for chunk in in_chunks(sorted(set(ids)), _AT_ONCE):
        query = select(*INCIDENT).where(incidents.c.id.in_(chunk)).order_by(incidents.c.id)
        rows = await tx.connection.execute(query.with_for_update(key_share=True))
        found |= {row.id: incident_of(row) for row in rows}
    return found
