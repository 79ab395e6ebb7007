"""Readiness in tests: services that declare things, what judges them, and where they stand."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import func, select

from opsgraph.app import Core, build_core
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.readiness.commands import declaring, exempting, overriding
from opsgraph.domains.readiness.model.expressions import Evaluated, Expressions
from opsgraph.domains.readiness.model.manifests import FieldType
from opsgraph.domains.readiness.model.overrides import Exemption, Override
from opsgraph.domains.readiness.model.standings import Standing
from opsgraph.domains.readiness.model.verdicts import CheckOutcome, ReadinessDecision, Verdict
from opsgraph.domains.readiness.queries.states import standings_by_service
from opsgraph.domains.readiness.tables import verdicts
from opsgraph.events.tables import events
from opsgraph.kernel.actor import Actor, Role
from opsgraph.kernel.refusals import Invalid
from opsgraph.settings import Settings
from opsgraph.workflows.readiness.evaluating import Readiness
from tests.support.catalog import make_service
from tests.support.clock import TestClock

FLAGS = (
    "structured_logs",
    "metrics",
    "dashboards",
    "alerting",
    "sla_documented",
    "load_tested",
    "graceful_degradation",
    "backups_tested",
    "authentication",
    "secret_scanning",
    "dependency_scanning",
    "encryption",
    "rollback_plan",
)
EVERYTHING: Mapping[str, Any] = {**dict.fromkeys(FLAGS, True), "runbook_url": "https://example.org/runbook"}
"""What a service declares that has everything."""

EDITOR = Actor("Eda", frozenset({Role.EDITOR}))
APPROVER = Actor("Apo", frozenset({Role.APPROVER}))
GO, CONDITIONAL_GO, NO_GO = ReadinessDecision


class Lookups:
    """Expressions that name one field and are true where it is.

    Attributes:
        asked: how many values were asked for.
        failing: a service by its name, for which nothing can be evaluated.
    """

    def __init__(self) -> None:
        self.asked = 0
        self.failing: str | None = None

    async def check(self, expression: str, fields: Mapping[str, FieldType]) -> None:
        """Accept the name of a field."""
        if expression not in fields:
            raise Invalid(f"there is no {expression}", details={"line": 1, "column": 1})

    async def evaluate(
        self, expressions: Sequence[str], fields: Mapping[str, FieldType], bindings: Sequence[Mapping[str, Any]]
    ) -> list[list[Evaluated]]:
        """The value of each field; an error where it has none."""
        assert fields.keys() >= set(expressions)
        self.asked += len(expressions) * len(bindings)
        if self.failing in [bound["manifest.service.name"] for bound in bindings]:
            raise RuntimeError("nothing can be evaluated for it")
        return [[_looked_up(expression, bound) for expression in expressions] for bound in bindings]


def _looked_up(expression: str, bound: Mapping[str, Any]) -> Evaluated:
    if expression not in bound:
        return Evaluated(error=f"{expression} has no value")
    return Evaluated(bool(bound[expression]))


@asynccontextmanager
async def judging(settings: Settings, clock: TestClock, expressions: Expressions | None = None) -> AsyncIterator[Core]:
    """A process that judges as the application does, but for its expressions."""
    core = build_core(settings, clock)
    every = timedelta(seconds=settings.readiness_seconds)
    judge = Readiness(core.database, clock, expressions or Lookups(), settings.currency, every)
    try:
        yield replace(core, readiness=judge)
    finally:
        await core.close()


async def make(core: Core, name: str = "api", values: Mapping[str, Any] | None = EVERYTHING, **fields: Any) -> UUID:
    """A service that declares this, or nothing; `fields` as in `ServiceInput`."""
    async with core.database.transaction(EDITOR, core.clock.now()) as tx:
        service = await make_service(tx, name, **fields)
        if values is not None:
            await declaring.declare(tx, name, values)
    return service.id


async def declare(core: Core, name: str = "api", **values: Any) -> None:
    """Have a service declare everything but for this."""
    async with core.database.transaction(EDITOR, core.clock.now()) as tx:
        await declaring.declare(tx, name, {**EVERYTHING, **values})


async def judge(core: Core, name: str = "api", by: Actor = EDITOR) -> Verdict:
    """A new verdict."""
    return await core.readiness.evaluate(name, by)


async def tick(core: Core) -> int:
    """Do what the worker does until nothing is due; gives how many services it judged."""
    judged = 0
    while done := await core.readiness.tick(core.clock.now()):
        judged += done
    return judged


async def exempt(core: Core, check: str, days: float = 1, name: str = "api", by: Actor = APPROVER) -> Exemption:
    """Have a service exempt from a check for a while; whoever is no approver only asks for it."""
    async with core.database.transaction(by, core.clock.now()) as tx:
        until = tx.now + timedelta(days=days)
        return await exempting.exempt(tx, name, check, "planned", until, approving=Role.APPROVER in by.roles)


async def override(core: Core, decision: ReadinessDecision = GO, days: float = 1, name: str = "api") -> Override:
    """Have an override asked for by one person and approved by another."""
    async with core.database.transaction(EDITOR, core.clock.now()) as tx:
        await overriding.request(tx, name, decision, "it has to go out", tx.now + timedelta(days=days))
    async with core.database.transaction(APPROVER, core.clock.now()) as tx:
        return await overriding.approve(tx, name)


async def standing(core: Core, name: str = "api") -> Standing:
    """Where a service stands."""
    async with core.database.reading() as session:
        service = await catalog_services.require_service(session, name)
        return (await standings_by_service(session, [service.id]))[service.id]


async def effective(core: Core, name: str = "api") -> ReadinessDecision | None:
    """What counts about a service."""
    return (await standing(core, name)).effective(core.clock.now())


async def count_verdicts(core: Core) -> int:
    """How many verdicts are stored."""
    async with core.database.reading() as session:
        found: int = (await session.execute(select(func.count()).select_from(verdicts))).scalar_one()
        return found


async def told(core: Core) -> list[tuple[str, str, str, str | None]]:
    """What the feed has of readiness: kind, decision, effective decision and the one before, in its order."""
    query = select(events.c.kind, events.c.facts).where(events.c.topic == "readiness").order_by(events.c.id)
    async with core.database.reading() as session:
        rows = [(row.kind, orjson.loads(row.facts)) for row in await session.execute(query)]
    return [(kind, facts["decision"], facts["effective"], facts["previous"]) for kind, facts in rows]


def outcomes(verdict: Verdict, *wanted: CheckOutcome) -> set[str]:
    """The names of the checks that came out like this."""
    return {result.name for result in verdict.results if result.outcome in wanted}


def at(verdict: Verdict, check: str) -> tuple[CheckOutcome, str]:
    """How one check came out, and why."""
    (result,) = [result for result in verdict.results if result.name == check]
    return result.outcome, result.message
