"""What services declare."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert

from opsgraph.domains.catalog.model import Service
from opsgraph.domains.readiness.commands import locking
from opsgraph.domains.readiness.model.manifests import ManifestDeclared
from opsgraph.domains.readiness.queries.manifests import declarations_by_service
from opsgraph.domains.readiness.queries.texts import written
from opsgraph.domains.readiness.rules import manifests as rules
from opsgraph.domains.readiness.tables import manifests, states
from opsgraph.kernel.ids import behind
from opsgraph.storage.saving import Outcome, Saved
from opsgraph.storage.transactions import Tx
from opsgraph.storage.writing import insert_new


async def declare(tx: Tx, service_name: str, values: Mapping[str, Any]) -> Saved[Service]:
    """Declare all that a service has; what it declared before is kept beside it. An equal declaration changes nothing.

    Raises:
        NotFound: there is no such service.
        Conflict: it is archived.
        Invalid: a field is not known, has a value of another type, or there is too much of it; names the field.
    """
    accepted = rules.accept(values)
    service = await locking.active_service(tx, service_name)
    declared = written(accepted)
    kept = (await declarations_by_service(tx.connection, [service.id])).get(service.id)
    if kept is not None and written(kept.values) == declared:
        return Saved(service, Outcome.UNCHANGED)
    id_ = behind(kept.id if kept else None, tx.new_id())
    row = {"id": id_, "service_id": service.id, "declared": declared, "declared_by": tx.actor.name}
    await tx.connection.execute(insert(manifests).values(**row, created_at=tx.now))
    # From now on it is judged by itself; a service that is known already is marked by what follows the event.
    fresh = {"service_id": service.id, "revision": 0, "due_at": tx.now}
    await insert_new(tx, states, fresh, key=("service_id",))
    tx.record(ManifestDeclared(service.id))
    return Saved(service, Outcome.CREATED if kept is None else Outcome.CHANGED)
