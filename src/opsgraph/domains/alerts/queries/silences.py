"""Reads of silences and maintenance windows."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import orjson
from sqlalchemy import BindParameter, ColumnElement, Table, and_, bindparam, func, not_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.alerts.model import MaintenanceWindow, Matcher, Silence
from opsgraph.domains.alerts.tables import maintenance_windows, silences
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.kernel.pages import Page, PageRequest
from opsgraph.storage.columns import Instant
from opsgraph.storage.keyset import Sort, page_of
from opsgraph.storage.prepared import Prepared
from opsgraph.storage.rows import AnyRow, AnySelect

_SHARED = ("id", "matchers", "reason", "created_by", "starts_at", "ends_at")
_SILENCE = tuple(silences.c[name] for name in _SHARED)
_WINDOW = tuple(maintenance_windows.c[name] for name in (*_SHARED, "services", "exclude_from_slos"))

Names = Mapping[UUID, str]


def silence_rows() -> AnySelect:
    """A select of the columns that `silence_of` reads."""
    return select(*_SILENCE)


def silence_of(row: AnyRow) -> Silence:
    """Read a silence from a row that has its columns."""
    return Silence(row.id, _matchers(row.matchers), row.reason, row.created_by, row.starts_at, row.ends_at)


def window_rows() -> AnySelect:
    """A select of the columns that `window_of` reads."""
    return select(*_WINDOW)


def window_of(row: AnyRow, names: Names) -> MaintenanceWindow:
    """Read a maintenance window from a row that has its columns, and the present names of its services by id."""
    return MaintenanceWindow(
        id=row.id,
        services=tuple(names[id_] for id_ in service_ids_of(row)),
        matchers=_matchers(row.matchers),
        reason=row.reason,
        created_by=row.created_by,
        exclude_from_slos=row.exclude_from_slos,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
    )


def service_ids_of(row: AnyRow) -> list[UUID]:
    """The ids of a maintenance window's services: names may change, ids do not."""
    return [UUID(id_) for id_ in orjson.loads(row.services)]


def matchers_text(matchers: Sequence[Matcher]) -> str:
    """Matchers as a row holds them."""
    return orjson.dumps(matchers).decode()


async def active_silences(session: AsyncConnection, now: datetime) -> list[Silence]:
    """The silences that are in force, oldest first."""
    return [silence_of(row) for row in await _SILENCES_IN_FORCE.run(session, now=now)]


async def active_windows(session: AsyncConnection, now: datetime) -> list[MaintenanceWindow]:
    """The maintenance windows that are in force, oldest first; one statement where there are none, else two."""
    return await _windows(session, await _WINDOWS_IN_FORCE.run(session, now=now))


async def silences_by_id(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Silence]:
    """Silences by id, whether in force or not; ids of nothing are absent."""
    return {row.id: silence_of(row) for row in await session.execute(silence_rows().where(silences.c.id.in_(ids)))}


async def windows_by_id(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, MaintenanceWindow]:
    """Maintenance windows by id, whether in force or not; ids of nothing are absent."""
    rows = (await session.execute(window_rows().where(maintenance_windows.c.id.in_(ids)))).all()
    return {window.id: window for window in await _windows(session, rows)}


async def silences_page(
    session: AsyncConnection, active: bool | None, now: datetime, request: PageRequest
) -> Page[Silence]:
    """A page of silences, newest first.

    Args:
        session: the connection.
        active: only those in force, or only the others; None means all.
        now: the instant at which they are in force or not.
        request: the page.
    """
    query = silence_rows().where(*_activity(silences, active, now))
    page = await page_of(session, query, (Sort(silences.c.id, descending=True),), request)
    return Page([silence_of(row) for row in page.rows], page.keys, page.has_next, page.has_previous)


async def count_silences(session: AsyncConnection, active: bool | None, now: datetime) -> int:
    """How many silences there are, narrowed likewise."""
    return await _count(session, silences, active, now)


async def windows_page(
    session: AsyncConnection, active: bool | None, now: datetime, request: PageRequest
) -> Page[MaintenanceWindow]:
    """A page of maintenance windows, newest first, narrowed likewise."""
    query = window_rows().where(*_activity(maintenance_windows, active, now))
    page = await page_of(session, query, (Sort(maintenance_windows.c.id, descending=True),), request)
    return Page(await _windows(session, page.rows), page.keys, page.has_next, page.has_previous)


async def count_windows(session: AsyncConnection, active: bool | None, now: datetime) -> int:
    """How many maintenance windows there are, narrowed likewise."""
    return await _count(session, maintenance_windows, active, now)


async def _windows(session: AsyncConnection, rows: Sequence[AnyRow]) -> list[MaintenanceWindow]:
    ids = {id_ for row in rows for id_ in service_ids_of(row)}
    found = await catalog_services.services_by_id(session, ids) if ids else {}
    names = {id_: service.name for id_, service in found.items()}
    return [window_of(row, names) for row in rows]


async def _count(session: AsyncConnection, table: Table, active: bool | None, now: datetime) -> int:
    query = select(func.count()).select_from(table).where(*_activity(table, active, now))
    return (await session.execute(query)).scalar_one()


def _activity(table: Table, active: bool | None, now: datetime) -> list[ColumnElement[bool]]:
    if active is None:
        return []
    return [_in_force(table, now) if active else not_(_in_force(table, now))]


def _in_force(table: Table, now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    return and_(table.c.ends_at > now, table.c.starts_at <= now)


_NOW = bindparam("now", type_=Instant())
_SILENCES_IN_FORCE = Prepared(lambda _: silence_rows().where(_in_force(silences, _NOW)).order_by(silences.c.id))
_WINDOWS_IN_FORCE = Prepared(
    lambda _: window_rows().where(_in_force(maintenance_windows, _NOW)).order_by(maintenance_windows.c.id)
)


def _matchers(text: str) -> tuple[Matcher, ...]:
    return tuple(Matcher(**each) for each in orjson.loads(text))
