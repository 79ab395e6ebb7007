"""Reads of where services stand: their newest verdict, what stands in for it, and when they are looked at again."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.readiness.model.standings import Standing
from opsgraph.domains.readiness.model.verdicts import ReadinessDecision
from opsgraph.domains.readiness.tables import states
from opsgraph.storage.many import among
from opsgraph.storage.rows import AnyRow, AnySelect


def standing_of(row: AnyRow) -> Standing:
    """Read a standing from a row that has its columns."""
    return Standing(
        service_id=row.service_id,
        verdict_id=row.verdict_id,
        decision=_decision(row.decision),
        override_decision=_decision(row.override_decision),
        override_until=row.override_until,
        refusal=row.refusal,
        revision=row.revision,
        evaluated_at=row.evaluated_at,
        due_at=row.due_at,
    )


async def standings_by_service(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Standing]:
    """Where services stand; those that never declared anything and were never judged are absent."""
    rows = await session.execute(select(*states.c).where(among(session, states.c.service_id, ids)))
    return {row.service_id: standing_of(row) for row in rows}


async def due_services(session: AsyncConnection, now: datetime, limit: int) -> list[UUID]:
    """The services whose readiness is to be looked at again, longest due first; no archived ones."""
    live = catalog_services.service_ids().subquery()
    query = select(states.c.service_id).join(live, live.c.service_id == states.c.service_id)
    query = query.where(states.c.due_at <= now).order_by(states.c.due_at, states.c.service_id).limit(limit)
    return list((await session.execute(query)).scalars())


def in_decision(decisions: Collection[ReadinessDecision], now: datetime) -> AnySelect:
    """A select of the ids of services about which one of the decisions counts, for `catalog_services.services_page`.

    About a service without a verdict none does, not even that of an override.
    """
    values = [decision.value for decision in decisions]
    overridden = func.coalesce(states.c.override_until > now, False)
    counts = or_(
        and_(overridden, states.c.override_decision.in_(values)), and_(~overridden, states.c.decision.in_(values))
    )
    return select(states.c.service_id).where(states.c.decision.is_not(None), counts)


def _decision(value: str | None) -> ReadinessDecision | None:
    return None if value is None else ReadinessDecision(value)
