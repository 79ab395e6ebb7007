"""Reads of verdicts."""

from collections.abc import Collection, Sequence
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.readiness.model.policies import ReadinessCategory
from opsgraph.domains.readiness.model.standings import Said
from opsgraph.domains.readiness.model.verdicts import CheckOutcome, CheckResult, ReadinessDecision, Verdict
from opsgraph.domains.readiness.queries.texts import read
from opsgraph.domains.readiness.tables import states, verdicts
from opsgraph.kernel.pages import Page, PageRequest
from opsgraph.storage.counting import count_by
from opsgraph.storage.keyset import Sort, pages_by_parent
from opsgraph.storage.many import among
from opsgraph.storage.rows import AnyRow, AnySelect

_NEWEST_FIRST = (Sort(verdicts.c.id, descending=True),)


def verdict_of(row: AnyRow) -> Verdict:
    """Read a verdict from a row that has its columns."""
    return Verdict(
        id=row.id,
        service_id=row.service_id,
        decision=ReadinessDecision(row.decision),
        pass_rate=row.pass_rate,
        policy_version=row.policy_version,
        manifest=read(row.manifest),
        results=results_of(row.results),
        conditions=tuple(read(row.conditions)),
        to_go=tuple(read(row.to_go)),
        evaluated_by=row.evaluated_by,
        evaluated_at=row.evaluated_at,
    )


def results_of(text: str) -> tuple[CheckResult, ...]:
    """Read the results of checks from the text of a verdict."""
    return tuple(_result(**fields) for fields in orjson.loads(text))


def results_text(results: Sequence[CheckResult]) -> str:
    """Results of checks as a verdict holds them; equal ones give equal texts."""
    return orjson.dumps(results).decode()


async def verdicts_by_id(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Verdict]:
    """Verdicts by id; ids of nothing are absent."""
    return {
        row.id: verdict_of(row) for row in await session.execute(_verdicts().where(among(session, verdicts.c.id, ids)))
    }


async def newest_by_service(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Verdict]:
    """The verdict on each service that has one now."""
    query = _verdicts().join(states, states.c.verdict_id == verdicts.c.id)
    rows = await session.execute(query.where(among(session, states.c.service_id, ids)))
    return {row.service_id: verdict_of(row) for row in rows}


async def last_by_service(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Verdict]:
    """The last verdict that there was on each service, also where an evaluation was refused since."""
    pages = await verdicts_by_service(session, ids, PageRequest(1))
    return {service_id: verdict_of(row) for service_id, page in pages.items() for row in page.rows}


async def said_by_service(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Said]:
    """What the verdict on each service says, where there is one now."""
    columns = (verdicts.c.decision, verdicts.c.pass_rate, verdicts.c.results)
    query = select(states.c.service_id, *columns, verdicts.c.policy_version, verdicts.c.manifest_id)
    query = query.join(verdicts, verdicts.c.id == states.c.verdict_id)
    rows = await session.execute(query.where(among(session, states.c.service_id, ids)))
    return {row[0]: Said(ReadinessDecision(row[1]), *row[2:]) for row in rows}


async def verdicts_by_service(
    session: AsyncConnection, ids: Collection[UUID], request: PageRequest
) -> dict[UUID, Page[AnyRow]]:
    """The same page of the verdicts on each service, newest first."""
    return await pages_by_parent(session, _verdicts(), verdicts.c.service_id, ids, _NEWEST_FIRST, request)


async def count_by_service(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, int]:
    """How many verdicts there are on each service; services without any are absent."""
    return await count_by(session, verdicts.c.service_id, among(session, verdicts.c.service_id, ids))


def _verdicts() -> AnySelect:
    return select(*verdicts.c)


def _result(name: str, category: str, weight: float, hard_blocker: bool, outcome: str, message: str) -> CheckResult:
    return CheckResult(name, ReadinessCategory(category), weight, hard_blocker, CheckOutcome(outcome), message)
