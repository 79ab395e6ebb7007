"""Locking incidents: after their slots, before their alerts, in the order of their ids."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select

from opsgraph.domains.incidents.commands import slots
from opsgraph.domains.incidents.model import Incident, IncidentKey
from opsgraph.domains.incidents.queries.incidents import INCIDENT, incident_of, require_incident
from opsgraph.domains.incidents.rules.acceptance import expect_version
from opsgraph.domains.incidents.tables import incidents
from opsgraph.storage.many import among_given
from opsgraph.storage.prepared import Prepared
from opsgraph.storage.rows import AnySelect
from opsgraph.storage.transactions import Tx
from opsgraph.storage.writing import in_chunks

_AT_ONCE = 10_000


async def lock_incidents(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Incident]:
    """Lock incidents until the transaction ends; gives them as they are now, without ids of nothing.

    Others may refer to them meanwhile. On SQLite a write transaction already excludes every other writer.
    """
    found: dict[UUID, Incident] = {}
    for chunk in in_chunks(sorted(set(ids)), _AT_ONCE):
        found |= {row.id: incident_of(row) for row in await _LOCK.run(tx.connection, ids=chunk)}
    return found


def _locking(dialect: str) -> AnySelect:
    query = select(*INCIDENT).where(among_given(dialect, incidents.c.id, "ids")).order_by(incidents.c.id)
    return query.with_for_update(key_share=True)


_LOCK = Prepared(_locking)


async def lock_one(
    tx: Tx, key: IncidentKey, expected_version: int | None = None, *, with_slots: bool = False
) -> Incident:
    """Lock the incident with this id or number; gives it as it is then.

    Args:
        tx: the transaction.
        key: which.
        expected_version: the version it has to have, if that matters.
        with_slots: whether its slots are locked, too, as they are by whoever ends it or changes its severity.

    Raises:
        NotFound: there is no such incident.
        Conflict: it has another version.
    """
    found = await require_incident(tx.connection, key)
    if with_slots:
        await slots.lock_of(tx, [found])
    incident = (await lock_incidents(tx, [found.id]))[found.id]
    expect_version(incident, expected_version)
    return incident
