"""Writes of the health domain: the stored health of services."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import func, select, update

from opsgraph.domains.health import queries, rules
from opsgraph.domains.health.model import Health, HealthChanged, HealthStatus, ServiceFacts, Subsystem, Summary
from opsgraph.domains.health.tables import stored
from opsgraph.storage.transactions import Tx
from opsgraph.storage.writing import lock_sorted, upsert

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


async def lock(tx: Tx, service_ids: Collection[UUID]) -> datetime:
    """Keep everyone else from evaluating these services until the transaction ends.

    Taken before the facts are read: of two transactions that change different facts of one service, the second then
    sees what the first committed, so that the stored health of neither order is stale.

    Returns:
        the newest instant at which one of them was evaluated, which may lie after the transaction's own: another that
        began later may have come first.
    """
    # Stamped long ago: the database takes an unchanged stamp for one that `evaluate` did not set.
    fresh = {"evaluated_at": tx.now, "due_at": tx.now, "updated_at": _LONG_AGO}
    rows = [{"service_id": service_id, **fresh} for service_id in sorted(service_ids)]
    await upsert(tx, stored, rows, key=("service_id",), update=())
    await lock_sorted(tx, stored.c.service_id, service_ids)
    query = select(func.max(stored.c.evaluated_at)).where(stored.c.service_id.in_(service_ids))
    newest: datetime = (await tx.connection.execute(query)).scalar_one()
    return newest


async def mark_due(tx: Tx, service_ids: Collection[UUID]) -> None:
    """Let the evaluating worker look at these services at its next round: for facts that are written in bulk."""
    fresh = {"evaluated_at": tx.now, "due_at": tx.now, "updated_at": _LONG_AGO}
    rows = [{"service_id": service_id, **fresh} for service_id in sorted(service_ids)]
    await upsert(tx, stored, rows, key=("service_id",), update=("due_at",))


async def mark_all_due(tx: Tx) -> None:
    """Let the evaluating worker look at every service at its next rounds. One statement.

    The rows are locked in the order in which whoever evaluates several services locks them.
    """
    statement = update(stored).values(due_at=tx.now)
    if tx.connection.dialect.name != "sqlite":
        held = select(stored.c.service_id).order_by(stored.c.service_id).with_for_update().cte("held")
        statement = statement.where(stored.c.service_id == held.c.service_id)
    await tx.connection.execute(statement)


async def postpone(tx: Tx, service_id: UUID, by: timedelta) -> None:
    """Let the evaluating worker look at a service again only after a while."""
    await tx.connection.execute(update(stored).where(stored.c.service_id == service_id).values(due_at=tx.now + by))


async def evaluate(
    tx: Tx, service_ids: Collection[UUID], subsystems: Sequence[Subsystem], currency: str, every: timedelta
) -> dict[UUID, Health]:
    """Judge services by their facts as they are now and store the result.

    Args:
        tx: the transaction, in which `lock` was called.
        service_ids: whose.
        subsystems: who has a say.
        currency: the currency of costs that name none (ISO 4217).
        every: how long until the evaluating worker looks again.
    """
    facts = await queries.facts_by_service(tx.connection, service_ids, currency, tx.now)
    before = await queries.health_by_service(tx.connection, facts)
    judged = {service_id: rules.judge(known, subsystems) for service_id, known in facts.items()}
    await upsert(tx, stored, _rows(tx, facts, judged, every), key=("service_id",))
    for service_id, health in judged.items():
        previous = before[service_id].status if service_id in before else HealthStatus.UNKNOWN
        if previous is not health.status:
            tx.record(HealthChanged(service_id, previous, health.status))
    return judged


def _rows(
    tx: Tx, facts: Mapping[UUID, ServiceFacts], judged: Mapping[UUID, Health], every: timedelta
) -> list[dict[str, Any]]:
    return [
        {
            "service_id": service_id,
            **_judgement(judged[service_id]),
            **_figures(rules.summarise(facts[service_id])),
            "due_at": tx.now + every,
            "updated_at": tx.now,
        }
        for service_id in sorted(judged)
    ]


def _judgement(health: Health) -> dict[str, Any]:
    return {
        "status": health.status.value,
        "rank": rules.WORST_FIRST.index(health.status),
        "composite": health.composite.value,
        "telemetry": health.telemetry.value,
        "points": health.points,
        "signals": orjson.dumps([[s.subsystem, s.points, s.message] for s in health.signals]).decode(),
        "evaluated_at": health.evaluated_at,
    }


def _figures(summary: Summary) -> dict[str, Any]:
    return {
        "reliability_score": summary.reliability_score,
        "governance": summary.governance.value,
        "monthly_cost": summary.monthly_cost,
        "currency": summary.currency,
        "other_costs": orjson.dumps([[str(m.amount), m.currency] for m in summary.other_costs]).decode(),
        "cost_rank": float(summary.monthly_cost),
        "over_budget": summary.over_budget,
        "slos_met": summary.slos_met,
        "slos_unmet": summary.slos_unmet,
        "slos_total": summary.slos_total,
    }
