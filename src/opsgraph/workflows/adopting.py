"""What alerts reported of a service before anyone registered it becomes its own once someone does."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.alerts.commands import adopting as alerts
from opsgraph.domains.alerts.queries import orphans as orphaned_alerts
from opsgraph.domains.incidents.commands import adopting as incidents
from opsgraph.domains.incidents.queries import orphans as orphaned_incidents
from opsgraph.storage.transactions import Tx
from opsgraph.storage.writing import in_chunks
from opsgraph.workflows.health import AT_ONCE, HealthPolicy


async def adopt(tx: Tx, service_ids: Collection[UUID], _policy: HealthPolicy) -> None:
    """Give services the incidents and alerts of their names that are nobody's yet."""
    for ids in in_chunks(sorted(service_ids), AT_ONCE):
        await incidents.adopt(tx, ids)
        await alerts.adopt(tx, ids)


async def adopters(session: AsyncConnection) -> list[UUID]:
    """Services that have something to adopt: what was taken in while they were being registered."""
    found = {*await orphaned_alerts.adopters(session, AT_ONCE), *await orphaned_incidents.adopters(session, AT_ONCE)}
    return sorted(found)
