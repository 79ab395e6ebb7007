"""Locks of the readiness domain."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select

from opsgraph.domains.catalog.model import Service
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.readiness.model.standings import Standing
from opsgraph.domains.readiness.queries.states import standing_of
from opsgraph.domains.readiness.tables import states
from opsgraph.kernel.refusals import Conflict
from opsgraph.kernel.text import shown
from opsgraph.storage.many import among
from opsgraph.storage.transactions import Tx
from opsgraph.storage.writing import insert_new


async def active_service(tx: Tx, name: str) -> Service:
    """The service of that name, to which nobody else declares anything until the transaction ends.

    Raises:
        NotFound: there is no such service.
        Conflict: it is archived.
    """
    service = await catalog_services.require_service(tx.connection, name)
    await catalog_services.hold(tx.connection, [service.id], alone=True)
    if service.archived_at is not None:
        raise Conflict(f"service {shown(service.name)} is archived; restore it first", "service")
    return service


async def standing_of_service(tx: Tx, service: Service) -> Standing:
    """Where a service stands, from now on also where nothing is known yet; held until the transaction ends."""
    fresh = {"service_id": service.id, "revision": 0, "due_at": tx.now}
    await catalog_services.hold(tx.connection, [service.id])
    await insert_new(tx, states, fresh, key=("service_id",))
    return (await standings(tx, [service.id]))[service.id]


async def standings(tx: Tx, service_ids: Collection[UUID]) -> dict[UUID, Standing]:
    """Where services stand; held until the transaction ends, in the order of their ids."""
    await catalog_services.hold(tx.connection, service_ids)
    query = select(*states.c).where(among(tx.connection, states.c.service_id, service_ids))
    rows = await tx.connection.execute(query.order_by(states.c.service_id).with_for_update())
    return {row.service_id: standing_of(row) for row in rows}
