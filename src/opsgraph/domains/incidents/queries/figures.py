"""Figures about many incidents, reckoned by the database: memory does not grow with their number."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Float, case, exists, func, literal, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.alerts.model import Severity
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.incidents.model import Burden, IncidentFilter, IncidentStats, IncidentStatus, Spread, Trouble
from opsgraph.domains.incidents.queries.pages import conditions, created_between
from opsgraph.domains.incidents.tables import incidents
from opsgraph.storage.instants import unix_seconds
from opsgraph.storage.many import among
from opsgraph.storage.rows import AnySelect

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MEANS = {"resolved": "mttr_seconds", "unresolved": "age_seconds"}
"""Which mean goes with which count of `Trouble`."""


async def stats(session: AsyncConnection, wanted: IncidentFilter) -> IncidentStats:
    """The figures of the incidents that a filter finds. Three statements, and one to look up services by name."""
    found = await conditions(session, wanted)
    counts = select(incidents.c.status, incidents.c.severity, func.count()).where(*found)
    rows = (await session.execute(counts.group_by(incidents.c.status, incidents.c.severity))).all()
    by_status, by_severity = dict.fromkeys(IncidentStatus, 0), dict.fromkeys(Severity, 0)
    for status, severity, count in rows:
        by_status[IncidentStatus(status)] += count
        by_severity[Severity(severity)] += count
    mtta, mttr = [
        await _spread(session, seconds, found) for seconds in (incidents.c.mtta_seconds, incidents.c.mttr_seconds)
    ]
    return IncidentStats(by_status, by_severity, mtta, mttr)


async def trouble_by_service(
    session: AsyncConnection, service_ids: Collection[UUID], since: datetime, now: datetime
) -> dict[UUID, Trouble]:
    """What the incidents of services come to after an instant; services that never had one are absent. One statement.

    The age of what is not resolved is that at `now`. Incidents that began later still, by another clock, count as well:
    the passing of time does not add any.
    """
    mine = incidents.c.service_id.in_(service_ids)
    age = literal((now - _EPOCH).total_seconds(), Float) - unix_seconds(incidents.c.created_at)
    parts = union_all(
        _ever(service_ids),
        _part("incidents", _NO_MEAN, mine, incidents.c.created_at > since, *created_between(since, None)),
        _part("resolved", func.avg(incidents.c.mttr_seconds), mine, incidents.c.resolved_at > since),
        _part("unresolved", func.avg(age), mine, incidents.c.resolved_at.is_(None)),
    )
    found: dict[UUID, dict[str, Any]] = {}
    for service_id, part, count, mean in await session.execute(parts):
        values = found.setdefault(service_id, {})
        if part:
            values[part] = count
        if part in _MEANS:
            values[_MEANS[part]] = max(mean, 0.0)
    return {service_id: Trouble(**values) for service_id, values in found.items()}


async def burden_by_service(
    session: AsyncConnection, service_ids: Collection[UUID], since: datetime
) -> dict[UUID, Burden]:
    """What services bear, and how many of their incidents began after an instant; one statement.

    Services without any of either are absent.
    """
    mine, open_ = among(session, incidents.c.service_id, service_ids), incidents.c.resolved_at.is_(None)
    parts = union_all(
        _part("unresolved", _NO_MEAN, mine, open_),
        _part("critical", _NO_MEAN, mine, open_, incidents.c.severity == Severity.CRITICAL.value),
        _part("recent", _NO_MEAN, mine, incidents.c.created_at > since, *created_between(since, None)),
    )
    found: dict[UUID, dict[str, int]] = {}
    for service_id, part, count, _ in await session.execute(parts):
        found.setdefault(service_id, {})[part] = count
    return {service_id: Burden(**values) for service_id, values in found.items()}


_NO_MEAN = literal(0.0, Float)


def _ever(service_ids: Collection[UUID]) -> AnySelect:
    """A row for each service that ever had an incident, whatever became of it."""
    listed = catalog_services.service_rows().subquery()
    had_one = exists().where(incidents.c.service_id == listed.c.id)
    return select(listed.c.id, literal(""), literal(0), _NO_MEAN).where(listed.c.id.in_(service_ids), had_one)


def _part(name: str, mean: ColumnElement[float], *narrowed: ColumnElement[bool]) -> AnySelect:
    """A row for each service: how many of its incidents fulfil the conditions, and the mean of something."""
    query = select(incidents.c.service_id, literal(name), func.count(), mean).where(*narrowed)
    return query.group_by(incidents.c.service_id)


async def _spread(
    session: AsyncConnection, seconds: ColumnElement[float | None], found: Collection[ColumnElement[bool]]
) -> Spread:
    """Mean and median; of an even number, the median is the mean of the two in the middle."""
    place, size = func.row_number().over(order_by=seconds), func.count().over()
    columns = (seconds.label("seconds"), (2 * place).label("twice"), size.label("size"))
    ranked = select(*columns).where(seconds.is_not(None), *found).subquery()
    middle = or_(*(ranked.c.twice == ranked.c.size + offset for offset in range(3)))
    figures = select(func.avg(ranked.c.seconds), func.avg(case((middle, ranked.c.seconds))))
    return Spread(*(await session.execute(figures)).one())
