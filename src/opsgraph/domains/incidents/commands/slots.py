"""Locking slots: of a service and a severity, one incident is opened, raised or ended at a time."""

from collections.abc import Collection

from sqlalchemy import bindparam, text

from opsgraph.domains.alerts.model import Severity
from opsgraph.domains.incidents.model import Incident, Slot
from opsgraph.storage.columns import Instant
from opsgraph.storage.prepared import Prepared
from opsgraph.storage.transactions import Tx

# Rows are locked one by one in the order of the select, whether they are there already or made by this very statement:
# as everybody sorts alike, nobody waits for someone who waits for him.
_LOCK = Prepared(
    lambda _: text("""
INSERT INTO incident_slot (service_key, severity, used_at)
SELECT wanted.service_key, wanted.severity, :now
FROM unnest(CAST(:service_keys AS text[]), CAST(:severities AS text[])) AS wanted(service_key, severity)
ORDER BY wanted.service_key COLLATE "C", wanted.severity COLLATE "C"
ON CONFLICT (service_key, severity) DO UPDATE SET used_at = excluded.used_at
""").bindparams(bindparam("now", type_=Instant))
)


async def lock(tx: Tx, slots: Collection[Slot]) -> None:
    """Keep everyone else away from these slots until the transaction ends: one statement.

    Taken before incidents and alerts are locked. On SQLite a write transaction already excludes every other writer, so
    there is nothing to do.
    """
    if tx.connection.dialect.name == "sqlite" or not slots:
        return
    wanted = sorted({(slot.service_key, slot.severity.value) for slot in slots})
    service_keys, severities = (list(part) for part in zip(*wanted, strict=True))
    await _LOCK.run(tx.connection, service_keys=service_keys, severities=severities, now=tx.now)


async def lock_of(tx: Tx, incidents: Collection[Incident]) -> None:
    """Lock every slot that one of these incidents can be in: all severities, for it may get another one until then."""
    service_keys = {incident.service_key for incident in incidents}
    await lock(tx, [Slot(service_key, severity) for service_key in service_keys for severity in Severity])
