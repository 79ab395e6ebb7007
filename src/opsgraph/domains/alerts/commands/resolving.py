"""Ending alerts: because their source says so, a person does, or their time is over."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update

from opsgraph.domains.alerts.model import Alert, AlertChanged, AlertEventKind, AlertStatus, ResolvedBy
from opsgraph.domains.alerts.queries.alerts import ALERT, alert_of
from opsgraph.domains.alerts.tables import FIRING, alerts
from opsgraph.storage.transactions import Tx
from opsgraph.storage.writing import in_chunks, lock_sorted, update_all

_AT_ONCE = 5_000


async def resolve(
    tx: Tx, ids: Collection[UUID], by: ResolvedBy, ends: Mapping[UUID, datetime] | None = None
) -> list[Alert]:
    """End those of the alerts that fire; gives them as they are then, in the order of their ids.

    Args:
        tx: the transaction.
        ids: which; their incidents, if they have any, are locked already.
        by: what ends them.
        ends: when their source says that they ended, where it does.
    """
    await lock_sorted(tx, alerts.c.id, ids)
    ended: list[Alert] = []
    for chunk in in_chunks(sorted(ids), _AT_ONCE):
        statement = update(alerts).where(alerts.c.id.in_(chunk), FIRING).values(**_end(tx, by)).returning(*ALERT)
        ended += [alert_of(row) for row in await tx.connection.execute(statement)]
    ended = await _told_ends(tx, sorted(ended, key=lambda alert: alert.id), ends or {})
    for alert in ended:
        tx.record(AlertChanged(AlertEventKind.RESOLVED, alert))
    return ended


async def resolve_of_incidents(tx: Tx, incident_ids: Collection[UUID]) -> dict[UUID, list[Alert]]:
    """End every firing alert of incidents that a person resolves, by incident; the incidents are locked already."""
    query = select(alerts.c.id).where(alerts.c.incident_id.in_(incident_ids), FIRING)
    ids = (await tx.connection.execute(query)).scalars().all()
    found: dict[UUID, list[Alert]] = {}
    for alert in await resolve(tx, ids, ResolvedBy.PERSON):
        if alert.incident_id is not None:
            found.setdefault(alert.incident_id, []).append(alert)
    return found


async def _told_ends(tx: Tx, ended: Sequence[Alert], ends: Mapping[UUID, datetime]) -> list[Alert]:
    """Keep beside when it was heard of, when each ended as its source has it."""
    told = {alert.id: ends[alert.id] for alert in ended if alert.id in ends}
    await update_all(tx, alerts, [{"id": id_, "ends_at": ends_at} for id_, ends_at in told.items()])
    return [replace(alert, ends_at=told[alert.id]) if alert.id in told else alert for alert in ended]


def _end(tx: Tx, by: ResolvedBy) -> dict[str, object]:
    return {"status": AlertStatus.RESOLVED.value, "resolved_at": tx.now, "resolved_by": by.value}
