"""What is measured for services, section by section of their manifests: one table.

A section is one entry here: a name, the types of its fields, how old its facts may be, and a batched read. Checks and
expressions know it from then on.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.catalog.model import PRODUCTION_ENVIRONMENTS, Service
from opsgraph.domains.catalog.queries import deployments as catalog_deployments
from opsgraph.domains.catalog.queries import relations as catalog_relations
from opsgraph.domains.catalog.queries import teams as catalog_teams
from opsgraph.domains.cost import queries as cost
from opsgraph.domains.governance import queries as governance
from opsgraph.domains.health import queries as health
from opsgraph.domains.incidents.model import Burden
from opsgraph.domains.incidents.queries import figures as incident_figures
from opsgraph.domains.readiness.model.manifests import Facts, FieldType, Section
from opsgraph.domains.reliability import queries as reliability
from opsgraph.domains.slo import queries as slo
from opsgraph.domains.slo.model import SloDates, SloSummary

BOOL, INT, DOUBLE, STRING, STRINGS = (
    FieldType.BOOL,
    FieldType.INT,
    FieldType.DOUBLE,
    FieldType.STRING,
    FieldType.STRINGS,
)
_MONTH = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Asked:
    """Of which services facts are wanted, and as of when.

    Attributes:
        session: where they are read.
        services: by id.
        currency: the currency of costs that name none (ISO 4217).
        now: the instant of all facts.
    """

    session: AsyncConnection
    services: Mapping[UUID, Service]
    currency: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """What a section says of one service, as in `Facts`."""

    values: Mapping[str, Any]
    as_of: datetime | None
    lasting: bool = False


@dataclass(frozen=True, slots=True)
class Provider:
    """Where a section's facts come from: a constant number of statements, whatever the number of services.

    A service that `measure` leaves out has none of the section's values.
    """

    section: Section
    measure: Callable[[Asked], Awaitable[Mapping[UUID, Found]]]


async def measured(asked: Asked) -> dict[UUID, dict[str, Facts]]:
    """The facts of every section, by service."""
    found: dict[UUID, dict[str, Facts]] = {service_id: {} for service_id in asked.services}
    for provider in PROVIDERS:
        known = await provider.measure(asked)
        for service_id, facts in found.items():
            said = known.get(service_id, _NOTHING)
            facts[provider.section.name] = Facts(provider.section, said.values, said.as_of, said.lasting)
    return found


_NOTHING = Found({}, None)


async def _service(asked: Asked) -> dict[UUID, Found]:
    tags = await catalog_relations.tags_by_service(asked.session, asked.services)
    owners = {service.team_id for service in asked.services.values() if service.team_id is not None}
    teams = await catalog_teams.teams_by_id(asked.session, owners)
    found = {}
    for id_, service in asked.services.items():
        values: dict[str, Any] = {"name": service.name, "tier": service.tier, "lifecycle": service.lifecycle.value}
        if service.team_id in teams:
            values["team"] = teams[service.team_id].name
        found[id_] = Found({**values, "tags": tags.get(id_, [])}, asked.now)
    return found


async def _slo(asked: Asked) -> dict[UUID, Found]:
    """What is counted is as old as the newest event, of that SLO which had none for longest.

    What was declared holds until it is declared otherwise; where nothing else is known, its age is shown.
    """
    summaries = await slo.summary_by_service(asked.session, asked.services)
    dates = await slo.dates_by_service(asked.session, asked.services)
    none, undated = SloSummary(), SloDates()
    found = {}
    for id_ in asked.services:
        summary = summaries.get(id_, none)
        unknown = summary.total - summary.met - summary.breached
        values = {"count": summary.total, "met": summary.met, "breached": summary.breached, "unknown": unknown}
        known = dates.get(id_, undated)
        found[id_] = Found(values, known.counted or known.declared, lasting=known.counted is None)
    return found


async def _health(asked: Asked) -> dict[UUID, Found]:
    stored = await health.health_by_service(asked.session, asked.services)
    return {
        id_: Found({"status": found.status.value, "points": found.points}, found.evaluated_at)
        for id_, found in stored.items()
    }


async def _cost(asked: Asked) -> dict[UUID, Found]:
    profiles = await cost.profiles_by_service(asked.session, asked.services, asked.currency, asked.now.date())
    return {
        id_: Found(
            {"monthly": float(profile.latest), "over_budget": profile.over_budget, "currency": profile.currency},
            min(_end_of(profile.latest_month), asked.now),
        )
        for id_, profile in profiles.items()
        if profile.latest_month is not None
    }


async def _governance(asked: Asked) -> dict[UUID, Found]:
    """As of the newest answer that was recorded; without any, there is nothing to date."""
    judged = await governance.by_service(asked.session, asked.services)
    answers = await governance.answers_by_service(asked.session, asked.services)
    found = {}
    for id_, each in judged.items():
        values = {"status": each.status.value, "failed": sum(not check.passed for check in each.checks)}
        recorded = (answer.recorded_at for answer in answers.get(id_, {}).values())
        found[id_] = Found(values, max(recorded, default=None))
    return found


async def _incidents(asked: Asked) -> dict[UUID, Found]:
    burdens = await incident_figures.burden_by_service(asked.session, asked.services, asked.now - _MONTH)
    none = Burden()
    found = {}
    for id_ in asked.services:
        burden = burdens.get(id_, none)
        values = {"open": burden.unresolved, "open_critical": burden.critical, "last_30d": burden.recent}
        found[id_] = Found(values, asked.now)
    return found


async def _deployments(asked: Asked) -> dict[UUID, Found]:
    """Those to production, as everywhere."""
    span = (asked.now - _MONTH, asked.now)
    counts = await catalog_deployments.tallies(asked.session, asked.services, PRODUCTION_ENVIRONMENTS, *span)
    found = {}
    for id_ in asked.services:
        deployed, failed = counts.get(id_, (0, 0))
        found[id_] = Found({"last_30d": deployed, "failed_30d": failed}, asked.now)
    return found


async def _reliability(asked: Asked) -> dict[UUID, Found]:
    """As of now where anything of the last 30 days counts in it; where all of it is declared, as of the declaration."""
    judged = await reliability.reliability_by_service(asked.session, asked.services, asked.now)
    declared = await reliability.declared_at_by_service(asked.session, asked.services)
    found = {}
    for id_, each in judged.items():
        if each.score is not None:
            counted = any(part.measured for part in each.parts)
            found[id_] = Found({"score": each.score}, asked.now if counted else declared[id_])
    return found


def _end_of(month: str) -> datetime:
    """When a month (`YYYY-MM`) ends."""
    year, number = (int(part) for part in month.split("-"))
    return datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)


PROVIDERS = (
    Provider(
        Section("service", {"name": STRING, "tier": INT, "lifecycle": STRING, "team": STRING, "tags": STRINGS}),
        _service,
    ),
    Provider(
        Section("slo", {"count": INT, "met": INT, "breached": INT, "unknown": INT}, max_age=timedelta(days=7)), _slo
    ),
    Provider(Section("health", {"status": STRING, "points": INT}, max_age=timedelta(hours=1)), _health),
    Provider(
        Section("cost", {"monthly": DOUBLE, "over_budget": BOOL, "currency": STRING}, max_age=timedelta(days=62)),
        _cost,
    ),
    Provider(Section("governance", {"status": STRING, "failed": INT}), _governance),
    Provider(Section("incidents", {"open": INT, "open_critical": INT, "last_30d": INT}), _incidents),
    Provider(Section("deployments", {"last_30d": INT, "failed_30d": INT}), _deployments),
    Provider(Section("reliability", {"score": DOUBLE}), _reliability),
)
"""Every section that is measured, in the order in which manifests show them."""

SECTIONS = tuple(provider.section for provider in PROVIDERS)
