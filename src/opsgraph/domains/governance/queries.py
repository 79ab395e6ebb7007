"""Reads of the governance domain, batched."""

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from sqlalchemy import false, select, true, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.governance import rules
from opsgraph.domains.governance.model import Answer, Duty, Governance
from opsgraph.domains.governance.tables import governance_checks, governance_duties, governance_implied
from opsgraph.storage.many import among
from opsgraph.storage.rows import AnyRow

_RECORDED = (governance_checks.c.service_id, governance_checks.c.check_key, governance_checks.c.passed)
_IMPLIED = (governance_implied.c.service_id, governance_implied.c.check_key)
_DUTY = (
    governance_duties.c.key,
    governance_duties.c.description,
    governance_duties.c.evidence,
    governance_duties.c.enabled,
)


async def by_service(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Governance]:
    """The governance of each service, judged, also where nothing was recorded; ids of nothing are absent.

    Three statements.
    """
    services = await catalog_services.services_by_id(session, ids)
    duties = await duties_in_force(session)
    recorded: defaultdict[UUID, dict[str, bool]] = defaultdict(dict)
    implied: defaultdict[UUID, set[str]] = defaultdict(set)
    checks = select(*_RECORDED, false().label("implied")).where(among(session, governance_checks.c.service_id, ids))
    declared = select(*_IMPLIED, true(), true()).where(among(session, governance_implied.c.service_id, ids))
    for row in await session.execute(union_all(checks, declared)):
        if row.implied:
            implied[row.service_id].add(row.check_key)
        else:
            recorded[row.service_id][row.check_key] = row.passed
    return {id_: rules.judge(service.name, recorded[id_], implied[id_], duties) for id_, service in services.items()}


async def recorded_by_service(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, dict[str, bool]]:
    """What was recorded of the duties in force for each service for which anything was.

    Whether it passes, by check key, in the order of the duties.
    """
    answers = await answers_by_service(session, ids)
    return {id_: {key: answer.passed for key, answer in recorded.items()} for id_, recorded in answers.items()}


async def answers_by_service(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, dict[str, Answer]]:
    """The same with when each was recorded."""
    found: dict[UUID, dict[str, Answer]] = {}
    query = select(*_RECORDED, governance_checks.c.updated_at)
    for row in await session.execute(query.where(among(session, governance_checks.c.service_id, ids))):
        found.setdefault(row.service_id, {})[row.check_key] = Answer(row.passed, row.updated_at)
    keys = [duty.key for duty in await duties_in_force(session)]
    in_force = {id_: {key: answers[key] for key in keys if key in answers} for id_, answers in found.items()}
    return {id_: answers for id_, answers in in_force.items() if answers}


async def implied_by_service(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, set[str]]:
    """The keys of the checks that each service passes by what it declares, where there are any."""
    implied: dict[UUID, set[str]] = {}
    for row in await session.execute(select(*_IMPLIED).where(among(session, governance_implied.c.service_id, ids))):
        implied.setdefault(row.service_id, set()).add(row.check_key)
    return implied


async def saved_duties(session: AsyncConnection) -> list[Duty]:
    """What the organisation added to the built-in duties, or changed of them, by key."""
    rows = await session.execute(select(*_DUTY).order_by(governance_duties.c.key))
    return [duty_of(row) for row in rows]


async def duties(session: AsyncConnection) -> tuple[Duty, ...]:
    """Every duty, disabled ones included: the built-in ones, then those that were added, by key."""
    return rules.all_duties(await saved_duties(session))


async def duties_in_force(session: AsyncConnection) -> tuple[Duty, ...]:
    """The duties that are asked of every service, in the same order."""
    return rules.in_force(await saved_duties(session))


def duty_of(row: AnyRow) -> Duty:
    """Read a duty from its row."""
    return Duty(row.key, row.description, row.evidence, row.enabled)
