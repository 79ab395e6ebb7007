"""Health in tests: what is stored beside what the facts say, and commands that change facts of every kind."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from hypothesis import strategies as st
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.app import Core, build_core
from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.catalog.model import Deployment, DeploymentInput, DeploymentOutcome, Lifecycle, ServiceInput
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.catalog.tables import services
from opsgraph.domains.cost import commands as cost
from opsgraph.domains.cost.model import Contribution, CostInput
from opsgraph.domains.governance import commands as governance
from opsgraph.domains.governance.rules import KEYS
from opsgraph.domains.health import queries, rules
from opsgraph.domains.health.model import ServiceFacts
from opsgraph.domains.health.tables import stored
from opsgraph.domains.reliability import commands as reliability
from opsgraph.domains.reliability.model import ReliabilityInput
from opsgraph.domains.slo import commands as slo
from opsgraph.domains.slo import queries as slo_queries
from opsgraph.domains.slo.model import BudgetingMethod, IndicatorKind, Slo, SloEventsInput, SloInput
from opsgraph.domains.slo.rules import evaluation
from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.windows import CalendarWindow
from opsgraph.settings import Settings
from opsgraph.storage.transactions import Tx
from opsgraph.workflows.health import HealthPolicy
from tests.support.clock import START, TestClock
from tests.support.rows import ROWS

SERVICES = ("api", "web", "db")

Stored = dict[UUID, dict[str, Any]]
"""Stored health by service: every column but `updated_at`, which the database keeps."""

_JSON = ("signals", "other_costs")


@asynccontextmanager
async def reacting(settings: Settings, clock: TestClock) -> AsyncIterator[Core]:
    """A database that keeps stored health as the application does; connections are closed when the block ends."""
    core = build_core(settings, clock)
    try:
        yield core
    finally:
        await core.close()


async def start(core: Core, names: Sequence[str] = SERVICES) -> None:
    """Make services that are DEGRADED by their checks and costs, with an SLO `x` of events and a declared one `y`."""
    async with core.database.transaction(SYSTEM, core.clock.now()) as tx:
        for name in names:
            await catalog.save_service(tx, ServiceInput(name))
            await slo.save_slo(tx, SloInput(name, "x", target=99.0, indicator=IndicatorKind.EXTERNAL))
            await slo.save_slo(tx, SloInput(name, "y", target=99.0, current=99.5))
            await governance.set_check(tx, name, "runbook", passed=False)
            await allow(tx, name, 100)
            await bill(tx, name, "2024-01", 101, "USD")


async def stored_health(session: AsyncConnection) -> Stored:
    """Stored health of all services."""
    columns = [column for column in stored.c if column.name != "updated_at"]
    rows = [dict(row._mapping) for row in await session.execute(select(*columns))]
    return {row["service_id"]: row | {name: orjson.loads(row[name]) for name in _JSON} for row in rows}


async def health_by_facts(session: AsyncConnection, policy: HealthPolicy, now: datetime) -> Stored:
    """What should be stored of all services, evaluated from the facts as they are at an instant."""
    return {id_: _row(facts, policy) for id_, facts in (await facts_anew(session, policy, now)).items()}


async def facts_anew(session: AsyncConnection, policy: HealthPolicy, now: datetime) -> dict[UUID, ServiceFacts]:
    """What is known about all services at an instant, with SLOs judged again from the minutes of their events."""
    ids = (await session.execute(select(services.c.id))).scalars().all()
    facts = await queries.facts_by_service(session, ids, policy.currency, now)
    return {
        id_: replace(known, slos=[await _judged_anew(session, each, now) for each in known.slos])
        for id_, known in facts.items()
    }


async def _judged_anew(session: AsyncConnection, each: Slo, now: datetime) -> Slo:
    external = each.indicator is IndicatorKind.EXTERNAL
    minutes = evaluation.measured_minutes(each, now) if external else range(0)
    events = await slo_queries.minutes_between(session, each.id, minutes) if external else ()
    return replace(each, state=evaluation.judge(each, evaluation.roll_up(each, events), now))


def _row(facts: ServiceFacts, policy: HealthPolicy) -> dict[str, Any]:
    health, figures = rules.judge(facts, policy.subsystems), rules.summarise(facts)
    return {
        "service_id": facts.service.id,
        "status": health.status,
        "rank": ("DOWN", "CRITICAL", "DEGRADED", "UNKNOWN", "HEALTHY").index(health.status),
        "composite": health.composite,
        "telemetry": health.telemetry,
        "points": health.points,
        "signals": [[signal.subsystem, signal.points, signal.message] for signal in health.signals],
        "reliability_score": figures.reliability_score,
        "governance": figures.governance,
        "monthly_cost": figures.monthly_cost,
        "currency": figures.currency,
        "other_costs": [[str(money.amount), money.currency] for money in figures.other_costs],
        "cost_rank": float(figures.monthly_cost),
        "over_budget": figures.over_budget,
        "slos_met": figures.slos_met,
        "slos_unmet": figures.slos_unmet,
        "slos_total": figures.slos_total,
        "evaluated_at": facts.now,
        "due_at": facts.now + policy.every,
    }


async def assert_fresh(core: Core, now: datetime | None = None) -> None:
    """Every column of stored health, and the state of every SLO, is what the facts say at an instant.

    Archived services are as they were when they were last evaluated: time alone does not change what nobody looks at.
    """
    instant = now or core.clock.now()
    async with core.database.reading() as session:
        known = await facts_anew(session, core.policy, instant)
        found = await stored_health(session)
        states = await slo_queries.states_by_service(session, known)
    for id_, row in found.items():
        if known[id_].service.archived_at and row["evaluated_at"] < instant:
            del known[id_]
    assert {id_: found[id_] for id_ in known} == {id_: _row(facts, core.policy) for id_, facts in known.items()}
    for id_, facts in known.items():
        for each, judged in zip(states.get(id_, ()), facts.slos, strict=True):
            assert (each.state.is_met, each.state.coverage_pct) == (judged.state.is_met, judged.state.coverage_pct)
            assert each.state.current == pytest.approx(judged.state.current)


async def store(session: AsyncConnection, *lines: Mapping[str, Any]) -> list[UUID]:
    """Store the health of new services beneath the rules, all with the same columns; `archived` ones are archived."""
    ids = [uuid4() for _ in lines]
    named = [
        {**ROWS["service"], "id": id_, "name": line["name"], "name_key": line["name"].casefold(), "origin": None}
        | {"archived_at": START if line.get("archived") else None}
        for id_, line in zip(ids, lines, strict=True)
    ]
    judged = [
        {**ROWS["service_health"], "service_id": id_, **{key: line[key] for key in line if key in stored.c}}
        for id_, line in zip(ids, lines, strict=True)
    ]
    if lines:
        await session.execute(insert(services), named)
        await session.execute(insert(stored), judged)
    return ids


@dataclass(frozen=True, slots=True)
class Write:
    """A command with its arguments, to be called in a transaction."""

    command: Callable[..., Awaitable[object]]
    arguments: tuple[Any, ...]

    async def __call__(self, tx: Tx) -> None:
        """Run the command."""
        await self.command(tx, *self.arguments)


async def save(tx: Tx, service: str, values: dict[str, Any]) -> None:
    """Change a service."""
    await catalog.save_service(tx, ServiceInput(service, **values))


async def spell(tx: Tx, service: str, capitals: bool) -> None:
    """Rename a service so that it is found as before."""
    await catalog.rename_service(tx, service, service.upper() if capitals else service)


async def deploy(tx: Tx, service: str, ago: timedelta, failed: bool, environment: str = "production") -> None:
    """Record a deployment that happened a while ago, or will have within minutes."""
    wanted = DeploymentInput(service, "v1", environment, deployed_at=tx.now - ago, failed=failed)
    await catalog.record_deployment(tx, wanted)


async def take_over(tx: Tx, whose: Sequence[tuple[str, timedelta, bool]]) -> None:
    """Record deployments that are known elsewhere."""
    taken = []
    for service, ago, failed in whose:
        service_id = (await catalog_services.require_service(tx.connection, service)).id
        outcome = DeploymentOutcome.FAILED if failed else DeploymentOutcome.SUCCEEDED
        taken.append(Deployment(tx.new_id(), service_id, "v1", "prod", None, tx.now - ago, outcome, rework=False))
    await catalog.take_over_deployments(tx, taken)


async def save_slo(tx: Tx, service: str, name: str, *values: dict[str, Any]) -> None:
    """Create or change an SLO."""
    await slo.save_slo(tx, SloInput(service, name, **{key: value for part in values for key, value in part.items()}))


async def report(tx: Tx, service: str, bad: int, ago: timedelta = timedelta(0), name: str = "x") -> None:
    """Report a hundred events, some of them bad, that happened a while ago."""
    await slo.record_slo_events(tx, SloEventsInput(service, name, 100.0 - bad, 100.0, at=tx.now - ago))


async def bill(tx: Tx, service: str, month: str, amount: int, currency: str, origin: str = "manual") -> None:
    """Record what a service cost."""
    await cost.record_cost(tx, CostInput(service, month, Decimal(amount), currency, origin=origin), "USD")


async def allow(tx: Tx, service: str, amount: int | None, currency: str | None = None) -> None:
    """Set or take away a budget."""
    await cost.set_budget(tx, service, None if amount is None else Decimal(amount), currency, "USD")


async def import_costs(tx: Tx, origin: str, parts: Sequence[tuple[str | None, str, int]]) -> None:
    """Replace what an origin says; what is nobody's is unallocated."""
    wanted = []
    for name, month, amount in parts:
        service = None if name is None else (await catalog_services.require_service(tx.connection, name)).id
        wanted.append(Contribution(service, month, "USD", origin, Decimal(amount)))
    await cost.replace_origins(tx, [origin], wanted)


async def declare(tx: Tx, service: str, values: dict[str, Any]) -> None:
    """Declare some of what is not measured."""
    await reliability.declare(tx, ReliabilityInput(service, **values))


def _some(command: Callable[..., Awaitable[object]], *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Write]:
    return st.builds(Write, st.just(command), st.tuples(*arguments))


def _optional(**choices: Sequence[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in choices.items()})


_services = st.sampled_from(SERVICES)
_changes = _optional(title=["T", None], tier=[1, 4], lifecycle=list(Lifecycle), tags=[["a"], []])
_slos = st.sampled_from(["x", "y"])
_months = st.sampled_from(["2024-01", "2024-02", "2024-03"])
_amounts = st.sampled_from([-5, 0, 90, 100, 101, 250])
_currencies = st.sampled_from(["USD", "EUR"])
_ages = st.sampled_from([timedelta(days=days) for days in (0, 1, 6, 7, 27, 28, 29, 30, 31)]) | st.timedeltas(
    timedelta(minutes=-5), timedelta(days=40)
)
_indicators = st.sampled_from(
    [
        {"indicator": IndicatorKind.EXTERNAL, "current": None},
        {"indicator": IndicatorKind.REQUEST_SUCCESS, "current": None},
        *({"indicator": IndicatorKind.DECLARED, "current": current} for current in (None, 98.9, 99.0, 99.95)),
    ]
)
_windows = st.sampled_from(
    [
        *({"window_days": days} for days in (1, 7, 28, 90)),
        {"calendar": CalendarWindow.WEEK, "time_zone": "Europe/Lisbon"},
        {"calendar": CalendarWindow.MONTH},
    ]
)
_slicings = st.sampled_from(
    [
        {"budgeting_method": BudgetingMethod.OCCURRENCES},
        {"budgeting_method": BudgetingMethod.TIMESLICES, "slice_target": 90.0, "slice_seconds": 300},
        {"budgeting_method": BudgetingMethod.RATIO_TIMESLICES, "slice_seconds": 3600},
    ]
)
_targets = st.sampled_from([{"target": 50.0}, {"target": 99.0}, {"target": 99.9}])
_declared = _optional(
    uptime_pct=[None, 98.0, 99.9, 100.0],
    mttr_minutes=[None, 5.0, 61.0],
    incidents_30d=[None, 0, 6],
    change_failure_rate_pct=[None, 0.0, 50.0],
)

WRITES = st.one_of(
    _some(save, _services | st.just("new"), _changes),
    _some(save_slo, _services, _slos, _targets, _indicators, _windows, _slicings),
    _some(report, _services, st.integers(0, 3), _ages, _slos),
    _some(deploy, _services, _ages, st.booleans(), st.sampled_from(["production", "prod", "test"])),
    _some(take_over, st.lists(st.tuples(_services, _ages, st.booleans()), max_size=3)),
    _some(bill, _services, _months, _amounts, _currencies, st.sampled_from(["manual", "file"])),
    _some(allow, _services, st.none() | st.sampled_from([0, 100, 200]), st.none() | _currencies),
    _some(import_costs, st.just("file"), st.lists(st.tuples(st.none() | _services, _months, _amounts), max_size=3)),
    _some(governance.set_check, _services, st.sampled_from(KEYS), st.booleans()),
    _some(declare, _services, _declared),
    _some(slo.delete_slo, _services, _slos),
    _some(spell, _services, st.booleans()),
    _some(catalog.archive_service, _services),
    _some(catalog.restore_service, _services),
)
"""One command of any kind, by chance; some are refused, such as SLOs of a service that is archived."""
