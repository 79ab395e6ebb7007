"""Pages of incidents in each order, and their counts."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.access import queries as access
from opsgraph.domains.catalog.queries import homes
from opsgraph.domains.incidents.model import IncidentFilter, IncidentOrder
from opsgraph.domains.incidents.queries.incidents import INCIDENT
from opsgraph.domains.incidents.tables import incidents
from opsgraph.kernel.ids import earliest
from opsgraph.kernel.pages import Page, PageRequest
from opsgraph.storage.counting import count_by
from opsgraph.storage.keyset import Sort, page_of, pages_by_parent
from opsgraph.storage.rows import AnyRow, AnySelect

SORTS: Mapping[IncidentOrder, tuple[Sort, ...]] = {
    IncidentOrder.NEWEST: (Sort(incidents.c.id, descending=True),),
    IncidentOrder.OLDEST: (Sort(incidents.c.id),),
    IncidentOrder.SEVERITY: (
        Sort(incidents.c.severity_rank, descending=True),
        Sort(incidents.c.id, descending=True),
    ),
}
"""By id: ids sort by when an incident was created."""

_MILLISECOND = timedelta(milliseconds=1)
_MOST_LOOKED_UP = 1_000


async def incidents_page(
    session: AsyncConnection,
    wanted: IncidentFilter,
    request: PageRequest,
    order: IncidentOrder = IncidentOrder.NEWEST,
) -> Page[AnyRow]:
    """A page of the incidents that a filter finds."""
    query = select(*INCIDENT).where(*await conditions(session, wanted))
    return await page_of(session, query, SORTS[order], request)


async def count_incidents(session: AsyncConnection, wanted: IncidentFilter) -> int:
    """How many incidents a filter finds."""
    query = select(func.count()).select_from(incidents).where(*await conditions(session, wanted))
    return (await session.execute(query)).scalar_one()


async def incidents_by_service(
    session: AsyncConnection, ids: Collection[UUID], request: PageRequest, wanted: IncidentFilter
) -> dict[UUID, Page[AnyRow]]:
    """The same page of each service's incidents, newest first."""
    query = select(*INCIDENT).where(*await conditions(session, wanted))
    return await pages_by_parent(session, query, incidents.c.service_id, ids, SORTS[IncidentOrder.NEWEST], request)


async def count_by_service(session: AsyncConnection, ids: Collection[UUID], wanted: IncidentFilter) -> dict[UUID, int]:
    """How many incidents each service has; services without any are absent."""
    narrowed = await conditions(session, wanted)
    return await count_by(session, incidents.c.service_id, incidents.c.service_id.in_(ids), *narrowed)


async def conditions(session: AsyncConnection, wanted: IncidentFilter) -> list[ColumnElement[bool]]:
    """What a filter asks, in SQL: the same that `rules.filtering.matches` decides about one incident."""
    found = [*_of_columns(wanted), *created_between(wanted.since, wanted.until)]
    if wanted.services is not None:
        found.append(await homes.of_services(session, incidents, wanted.services))
    if wanted.teams is not None:
        found.append(incidents.c.service_id.in_(await _looked_up(session, homes.ids_of_teams(wanted.teams))))
    if wanted.assignees is not None:
        found.append(incidents.c.assignee_id.in_(await _looked_up(session, access.ids_named(wanted.assignees))))
    if wanted.unassigned is not None:
        found.append(incidents.c.assignee_id.is_(None) == wanted.unassigned)
    if wanted.snoozed:
        found.append(false())  # nothing is snoozed
    if wanted.search:
        columns = (incidents.c.title, incidents.c.service_name)
        found.append(or_(*(column.icontains(wanted.search, autoescape=True) for column in columns)))
    return found


def created_between(since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    """Created at or after an instant, and before another; ids narrow it down first, to the millisecond."""
    found: list[ColumnElement[bool]] = []
    if since is not None:
        found += [incidents.c.created_at >= since, incidents.c.id >= earliest(since)]
    if until is not None:
        found += [incidents.c.created_at < until, incidents.c.id < earliest(until + _MILLISECOND)]
    return found


def _of_columns(wanted: IncidentFilter) -> list[ColumnElement[bool]]:
    lists = ((incidents.c.status, wanted.statuses), (incidents.c.severity, wanted.severities))
    return [column.in_([value.value for value in values]) for column, values in lists if values is not None]


async def _looked_up(session: AsyncConnection, ids: AnySelect) -> AnySelect | Sequence[UUID]:
    """The ids that a select finds, if they are not many: by ids, indexes are entered."""
    found = (await session.execute(ids.limit(_MOST_LOOKED_UP + 1))).scalars().all()
    return found if len(found) <= _MOST_LOOKED_UP else ids
