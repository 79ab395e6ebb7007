"""Reads of overrides."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.readiness.model.overrides import STANDING, Beside, Override, OverrideState
from opsgraph.domains.readiness.model.verdicts import ReadinessDecision
from opsgraph.domains.readiness.queries.texts import read
from opsgraph.domains.readiness.tables import overrides, states, verdicts
from opsgraph.kernel.pages import Page, PageRequest
from opsgraph.storage.counting import count_by
from opsgraph.storage.keyset import Sort, pages_by_parent
from opsgraph.storage.many import among
from opsgraph.storage.rows import AnyRow, AnySelect

_OVERRIDE = tuple(overrides.c[name] for name in Override.__slots__)
_NEWEST_FIRST = (Sort(overrides.c.id, descending=True),)
_STANDING = sorted(STANDING)

SHOWN_FOR = timedelta(days=7)
"""How long an override that is over is shown beside verdicts that it did not stand in for."""


def override_of(row: AnyRow) -> Override:
    """Read an override from a row that has its columns."""
    return Override(
        id=row.id,
        service_id=row.service_id,
        decision=ReadinessDecision(row.decision),
        reason=row.reason,
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        expires_at=row.expires_at,
        state=OverrideState(row.state),
        verdict_id=row.verdict_id,
        blockers=tuple(read(row.blockers)),
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        note=row.note,
        ended_by=row.ended_by,
        ended_at=row.ended_at,
        ended_reason=row.ended_reason,
    )


def override_rows() -> AnySelect:
    """A select of the columns that `override_of` reads."""
    return select(*_OVERRIDE)


async def overrides_by_id(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Override]:
    """Overrides by id; ids of nothing are absent."""
    rows = await session.execute(override_rows().where(among(session, overrides.c.id, ids)))
    return {row.id: override_of(row) for row in rows}


async def standing_by_service(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, list[Override]]:
    """The overrides of each service that are approved or asked for, oldest first: at most one of either."""
    query = override_rows().where(among(session, overrides.c.service_id, ids), overrides.c.state.in_(_STANDING))
    found: dict[UUID, list[Override]] = {}
    for row in await session.execute(query.order_by(overrides.c.id)):
        found.setdefault(row.service_id, []).append(override_of(row))
    return found


async def overrides_of_verdicts(
    session: AsyncConnection, verdict_ids: Collection[UUID], now: datetime
) -> dict[UUID, Beside]:
    """What is to be shown beside each verdict: the override that stands in for it, else what concerns it most.

    For the verdict that there is now on a service that is the override in force, else the one that is asked for, else
    the last one that is over: within seven days, by this very verdict, or after it stood in for it. For any other
    verdict only what was approved in its place. Verdicts without any are absent. Where the service has no verdict now,
    no override counts.
    """
    current = states.c.verdict_id == verdicts.c.id
    query = override_rows().add_columns(verdicts.c.id.label("of_verdict"), states.c.verdict_id.label("current"))
    query = query.join(verdicts, verdicts.c.service_id == overrides.c.service_id)
    query = query.join(states, states.c.service_id == overrides.c.service_id)
    query = query.where(
        among(session, verdicts.c.id, verdict_ids),
        or_(overrides.c.verdict_id == verdicts.c.id, and_(current, _concerns(now))),
    )
    found: dict[UUID, Beside] = {}
    for row in await session.execute(query):
        override, kept = override_of(row), found.get(row.of_verdict)
        if kept is None or _interest(override, now) > _interest(kept.override, now):
            counts = row.current is not None and override.in_force(now)
            found[row.of_verdict] = Beside(override, counts)
    return found


async def overrides_by_service(
    session: AsyncConnection, ids: Collection[UUID], request: PageRequest
) -> dict[UUID, Page[AnyRow]]:
    """The same page of each service's overrides, whatever became of them, newest first."""
    return await pages_by_parent(session, override_rows(), overrides.c.service_id, ids, _NEWEST_FIRST, request)


async def count_by_service(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, int]:
    """How many overrides were ever asked for, for each service; services without any are absent."""
    return await count_by(session, overrides.c.service_id, among(session, overrides.c.service_id, ids))


def _concerns(now: datetime) -> ColumnElement[bool]:
    """Which overrides of a service are shown beside the verdict that there is now."""
    since = now - SHOWN_FOR
    over = func.coalesce(overrides.c.ended_at, overrides.c.decided_at)
    standing = and_(overrides.c.state.in_(_STANDING), overrides.c.expires_at > since)
    # What a verdict ends, it ends by the instant at which its facts were read.
    ended = and_(overrides.c.state.not_in(_STANDING), or_(over > since, over == verdicts.c.evaluated_at))
    return or_(standing, ended)


def _interest(override: Override, now: datetime) -> tuple[int, datetime, UUID]:
    """What is shown is what ranks highest."""
    over = override.over_since(now)
    if over is not None:
        return 0, over, override.id
    return 2 if override.state is OverrideState.APPROVED else 1, override.requested_at, override.id
