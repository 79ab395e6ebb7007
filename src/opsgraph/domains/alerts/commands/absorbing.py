"""Storing what was taken in: new alerts, and repeats of known ones. A statement a batch, whatever its size."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import TextualSelect, bindparam, text, update

from opsgraph.domains.alerts import sql_postgresql, sql_sqlite
from opsgraph.domains.alerts.model import Alert, ResolvedBy, Severity
from opsgraph.domains.alerts.tables import alerts
from opsgraph.kernel.text import name_key
from opsgraph.storage.columns import Instant
from opsgraph.storage.prepared import Prepared
from opsgraph.storage.transactions import Tx
from opsgraph.storage.writing import in_chunks, insert_all, lock_sorted

_AT_ONCE = 5_000
_MOST_OCCURRENCES = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Repeat:
    """An alert that fires was reported again."""

    id: UUID
    times: int
    severity: Severity
    ends_at: datetime | None


async def store(tx: Tx, arrived: Sequence[Alert]) -> None:
    """Insert new alerts.

    Raises:
        IntegrityError: an alert of one of the fingerprints fires already; another transaction was quicker.
    """
    await insert_all(tx, alerts, [_row(alert) for alert in arrived])


async def lock(tx: Tx, ids: Collection[UUID]) -> None:
    """Lock alerts in the order of their ids, after their slots and incidents."""
    await lock_sorted(tx, alerts.c.id, ids)


async def repeat(tx: Tx, repeats: Sequence[Repeat]) -> set[UUID]:
    """Count repeats of alerts that fire; gives the ids of those that were: another may have ended meanwhile."""
    if not repeats:
        return set()
    if tx.connection.dialect.name == "postgresql":
        values: dict[str, Any] = {
            "ids": [r.id for r in repeats],
            "times": [r.times for r in repeats],
            "severities": [r.severity.value for r in repeats],
            "ends": [r.ends_at for r in repeats],
        }
    else:
        values = {"repeats": orjson.dumps([_plain(r) for r in repeats]).decode()}
    return {row[0] for row in await _REPEAT.run(tx.connection, **values, now=tx.now)}


async def count_again(tx: Tx, times: Mapping[UUID, int]) -> None:
    """Count reports that belong to episodes which a person has resolved."""
    for ids in in_chunks(sorted(times), _AT_ONCE):
        statement = (
            update(alerts)
            .where(alerts.c.id == bindparam("alert_id"), alerts.c.occurrences <= _MOST_OCCURRENCES - bindparam("times"))
            .values(occurrences=alerts.c.occurrences + bindparam("times"), last_seen_at=tx.now)
        )
        await tx.connection.execute(statement, [{"alert_id": id_, "times": times[id_]} for id_ in ids])


async def give_incidents(tx: Tx, incident_ids: Mapping[UUID, UUID]) -> None:
    """Give alerts that were stored without one an incident, by the alert's id; from then on they are not silenced."""
    if not incident_ids:
        return
    statement = update(alerts).where(alerts.c.id == bindparam("alert_id"))
    rows = [{"alert_id": id_, "to": incident_ids[id_]} for id_ in sorted(incident_ids)]
    await tx.connection.execute(statement.values(incident_id=bindparam("to"), silenced=False), rows)


async def unsilence(tx: Tx, ids: Collection[UUID]) -> None:
    """Note that nothing keeps these alerts quiet any more."""
    for chunk in in_chunks(sorted(ids), _AT_ONCE):
        await tx.connection.execute(update(alerts).where(alerts.c.id.in_(chunk)).values(silenced=False))


async def close_episodes(tx: Tx, ids: Collection[UUID]) -> None:
    """Note that the source has resolved, too, what a person resolved: what it reports next is a new episode."""
    for chunk in in_chunks(sorted(ids), _AT_ONCE):
        statement = update(alerts).where(alerts.c.id.in_(chunk)).values(resolved_by=ResolvedBy.SOURCE.value)
        await tx.connection.execute(statement)


def _row(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.id,
        "fingerprint": alert.fingerprint,
        "service_name": alert.service_name,
        "service_key": name_key(alert.service_name),
        "service_id": alert.service_id,
        "severity": alert.severity.value,
        "source_severity": alert.source_severity,
        "severity_recognised": alert.severity_recognised,
        "status": alert.status.value,
        "message": alert.message,
        "labels": orjson.dumps(alert.labels).decode(),
        "annotations": orjson.dumps(alert.annotations).decode(),
        "source": alert.source,
        "source_url": alert.source_url,
        "occurrences": alert.occurrences,
        "starts_at": alert.starts_at,
        "first_seen_at": alert.first_seen_at,
        "last_seen_at": alert.last_seen_at,
        "ends_at": alert.ends_at,
        "incident_id": alert.incident_id,
        "silenced": alert.silenced,
        "flapping": alert.flapping,
    }


def _plain(one: Repeat) -> list[Any]:
    """A repeat as SQLite reads it: ids and instants as the columns hold them."""
    ends = one.ends_at and one.ends_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return [one.id.hex, one.times, one.severity.value, ends]


def _repeat(dialect: str) -> TextualSelect:
    wanted = sql_postgresql.REPEAT if dialect == "postgresql" else sql_sqlite.REPEAT
    return text(wanted).bindparams(bindparam("now", type_=Instant())).columns(alerts.c.id)


_REPEAT = Prepared(_repeat)
