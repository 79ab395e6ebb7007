"""What taking in reports has to know of the alerts that are there: a statement a batch, whatever its size."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import TextClause, and_, bindparam, case, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.alerts import sql_postgresql, sql_sqlite
from opsgraph.domains.alerts.model import Severity
from opsgraph.domains.alerts.rules.absorbing import Ended, Known
from opsgraph.domains.alerts.tables import FIRING, alerts
from opsgraph.storage.columns import Instant
from opsgraph.storage.prepared import Prepared

_KNOWN = (alerts.c.id, alerts.c.fingerprint, alerts.c.severity, alerts.c.incident_id, alerts.c.service_key)
_ENDED = (alerts.c.id, alerts.c.fingerprint, alerts.c.starts_at, alerts.c.incident_id)


async def known_by_fingerprint(session: AsyncConnection, fingerprints: Collection[str]) -> dict[str, Known]:
    """The alerts that fire, of these fingerprints."""
    if not fingerprints:
        return {}
    rows = await _KNOWN_BY_FINGERPRINT.run(session, fingerprints=_listed(session, fingerprints))
    return {row[1]: Known(row[0], row[1], Severity(row[2]), row[3], row[4]) for row in rows}


async def ended_by_fingerprint(
    session: AsyncConnection, fingerprints: Collection[str], since: datetime
) -> dict[str, Ended]:
    """The newest alert of each fingerprint that a person resolved after an instant and no source has since."""
    if not fingerprints:
        return {}
    rows = await _ENDED_BY_FINGERPRINT.run(session, fingerprints=_listed(session, fingerprints), since=since)
    return {row[1]: Ended(*row) for row in rows}


async def incidents_with_firing_alerts(session: AsyncConnection, incident_ids: Collection[UUID]) -> set[UUID]:
    """Those of the incidents that have an alert that fires."""
    if not incident_ids:
        return set()
    query = select(alerts.c.incident_id).where(alerts.c.incident_id.in_(incident_ids), FIRING).distinct()
    return set((await session.execute(query)).scalars())


async def over_by(
    session: AsyncConnection,
    now: datetime,
    forgotten_after: timedelta | None,
    limit: int,
    among: Collection[UUID] | None = None,
) -> list[Known]:
    """The alerts that fire though their time is over, oldest first.

    Args:
        session: the connection.
        now: the present; an alert whose end is not after it is over.
        forgotten_after: after how long without a report an alert without an end is over; None: never.
        limit: at most how many.
        among: only of these; None: of all.
    """
    over = alerts.c.ends_at <= now
    if forgotten_after is not None:
        over = or_(over, and_(alerts.c.ends_at.is_(None), alerts.c.last_seen_at <= now - forgotten_after))
    named = [] if among is None else [alerts.c.id.in_(among)]
    query = select(*_KNOWN).where(FIRING, over, *named).order_by(alerts.c.id).limit(limit)
    rows = await session.execute(query)
    return [Known(row[0], row[1], Severity(row[2]), row[3], row[4]) for row in rows]


async def incidents_over(session: AsyncConnection, before: datetime, among: Collection[UUID]) -> list[UUID]:
    """Those of the incidents of which no alert fires and the last one ended at or before an instant."""
    ended = select(alerts.c.incident_id).where(alerts.c.incident_id.in_(among)).group_by(alerts.c.incident_id)
    still = func.sum(case((alerts.c.resolved_at.is_(None), 1), else_=0))
    query = ended.having(still == 0, func.max(alerts.c.resolved_at) <= bindparam("before", before, Instant()))
    return list((await session.execute(query)).scalars())


def _listed(session: AsyncConnection, fingerprints: Collection[str]) -> Any:
    """Many texts in one parameter, so that the statement is the same however many there are."""
    return list(fingerprints) if session.dialect.name == "postgresql" else orjson.dumps(list(fingerprints)).decode()


def _known(dialect: str) -> Any:
    return _text(dialect, "KNOWN").columns(*_KNOWN)


def _ended(dialect: str) -> Any:
    return _text(dialect, "ENDED").bindparams(bindparam("since", type_=Instant())).columns(*_ENDED)


def _text(dialect: str, name: str) -> TextClause:
    return text(getattr(sql_postgresql if dialect == "postgresql" else sql_sqlite, name))


_KNOWN_BY_FINGERPRINT = Prepared(_known)
_ENDED_BY_FINGERPRINT = Prepared(_ended)
