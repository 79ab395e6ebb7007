"""What services declare about themselves, as far as it answers what governance asks of them."""

from collections.abc import Collection
from uuid import UUID

from opsgraph.domains.governance import commands as governance
from opsgraph.domains.readiness.queries.manifests import declarations_by_service
from opsgraph.domains.readiness.rules.implying import implied_by
from opsgraph.storage.transactions import Tx
from opsgraph.storage.writing import in_chunks
from opsgraph.workflows.health import AT_ONCE, HealthPolicy


async def imply(tx: Tx, service_ids: Collection[UUID], _policy: HealthPolicy) -> None:
    """Keep which governance checks services pass by what they declare now; an answer that was recorded beats it."""
    for ids in in_chunks(sorted(service_ids), AT_ONCE):
        declared = await declarations_by_service(tx.connection, ids)
        await governance.imply(tx, {id_: implied_by(declaration.values) for id_, declaration in declared.items()})
