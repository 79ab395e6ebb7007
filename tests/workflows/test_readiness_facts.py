"""What is measured for services: each section right, batched, and dated."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from opsgraph.app import Core
from opsgraph.domains.alerts.model import Severity
from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.catalog.model import DeploymentInput, TeamInput
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.governance import commands as governance
from opsgraph.domains.incidents.model import IncidentInput, IncidentStatus, TransitionInput
from opsgraph.domains.readiness.commands import judging
from opsgraph.domains.readiness.model.manifests import Facts, FieldType
from opsgraph.domains.slo.model import IndicatorKind
from opsgraph.kernel.actor import LOCAL, SYSTEM
from opsgraph.settings import Settings
from opsgraph.workflows import responding
from opsgraph.workflows.readiness import cases, facts
from opsgraph.workflows.readiness.facts import SECTIONS, Asked
from tests.support import databases
from tests.support.catalog import make_service
from tests.support.clock import TestClock
from tests.support.health import allow, bill, declare, deploy
from tests.support.slo import make_slo, record
from tests.support.statements import statements
from tests.support.verdicts import judging as judging_core

DAY = timedelta(days=1)
TYPES = {
    FieldType.BOOL: bool,
    FieldType.INT: int,
    FieldType.DOUBLE: float,
    FieldType.STRING: str,
    FieldType.STRINGS: list,
}


@pytest.fixture
async def core(settings: Settings, clock: TestClock, database_kind: str) -> AsyncIterator[Core]:
    """A process that judges, with two services: api, and quiet, of which nothing is known."""
    async with judging_core(settings, clock) as opened:
        async with opened.database.transaction(SYSTEM, clock.now()) as tx:
            await catalog.save_team(tx, TeamInput("Platform"))
            await make_service(tx, "api", team="platform", tier=1, tags=["java", "edge"])
            await make_service(tx, "quiet")
        yield opened
    if database_kind == "postgresql":
        await databases.emptied(settings.database_url)


async def measured(core: Core, *names: str) -> dict[str, dict[str, Facts]]:
    """What is measured for services, by name."""
    async with core.database.reading() as session:
        services = {s.id: s for s in (await catalog_services.services_by_name(session, names)).values()}
        found = await facts.measured(Asked(session, services, "USD", core.clock.now()))
    return {services[id_].name: sections for id_, sections in found.items()}


async def section(core: Core, name: str) -> tuple[dict[str, Any], datetime | None]:
    """What one section says of api, and since when."""
    found = (await measured(core, "api"))["api"][name]
    return dict(found.values), found.as_of


async def test_a_service_of_which_nothing_is_known(core: Core, clock: TestClock) -> None:
    """Every section is there; what cannot be said is absent, what can be counted is zero."""
    quiet = (await measured(core, "quiet"))["quiet"]
    assert list(quiet) == [known.name for known in SECTIONS]
    assert {name: dict(found.values) for name, found in quiet.items()} == {
        "service": {"name": "quiet", "tier": 3, "lifecycle": "PRODUCTION", "tags": []},
        "slo": {"count": 0, "met": 0, "breached": 0, "unknown": 0},
        "health": {"status": "UNKNOWN", "points": 0},
        "cost": {},
        "governance": {"status": "NEEDS_REVIEW", "failed": 0},
        "incidents": {"open": 0, "open_critical": 0, "last_30d": 0},
        "deployments": {"last_30d": 0, "failed_30d": 0},
        "reliability": {},
    }
    assert not any(found.is_stale(clock.now() + 99 * DAY) for found in quiet.values() if found.section.name != "health")


async def test_service(core: Core, clock: TestClock) -> None:
    """What the catalog has of it."""
    values = {"name": "api", "tier": 1, "lifecycle": "PRODUCTION", "team": "Platform", "tags": ["java", "edge"]}
    assert await section(core, "service") == (values, clock.now())


async def test_slo(core: Core, clock: TestClock) -> None:
    """How many are met and not; as old as the newest event of the SLO that had none for longest."""
    async with core.database.transaction(SYSTEM, clock.now()) as tx:
        for name, current in {"a": 99.95, "b": 90.0, "c": None}.items():
            await make_slo(tx, name, current=current)
    async with core.database.transaction(SYSTEM, clock.now()) as tx:
        for name in ("d", "e"):
            await make_slo(tx, name, indicator=IndicatorKind.EXTERNAL)
        await record(tx, 10.0, 10.0, "d", at=clock.now() - 9 * DAY)
        await record(tx, 10.0, 10.0, "d", at=clock.now() - 2 * DAY)
        await record(tx, 10.0, 10.0, "e", at=clock.now() - 5 * DAY)
    values = {"count": 5, "met": 3, "breached": 1, "unknown": 1}
    assert await section(core, "slo") == (values, clock.now() - 5 * DAY)
    clock.move(days=2)
    found = (await measured(core, "api"))["api"]["slo"]
    assert (found.is_stale(clock.now()), found.is_stale(clock.now() + timedelta(seconds=1))) == (False, True)


async def test_a_live_slo_does_not_hide_a_dead_one(core: Core, clock: TestClock) -> None:
    """Nor does one that is declared; one that never had an event is unknown, and has nothing to date."""
    async with core.database.transaction(SYSTEM, clock.now()) as tx:
        for name in ("live", "dead", "new"):
            await make_slo(tx, name, indicator=IndicatorKind.EXTERNAL)
        await record(tx, 10.0, 10.0, "dead")
    dead_since = clock.now()
    clock.move(days=8)
    async with core.database.transaction(SYSTEM, clock.now()) as tx:
        await make_slo(tx, "declared", current=99.95)
        await record(tx, 10.0, 10.0, "live")
    found = (await measured(core, "api"))["api"]["slo"]
    assert (found.values["unknown"], found.as_of, found.is_stale(clock.now())) == (1, dead_since, True)


async def test_what_is_declared_of_slos_is_dated_and_never_stale(core: Core, clock: TestClock) -> None:
    """It holds until somebody says otherwise; what nobody gave a value has no date."""
    async with core.database.transaction(SYSTEM, clock.now()) as tx:
        await make_slo(tx, "unknown")
    assert await section(core, "slo") == ({"count": 1, "met": 0, "breached": 0, "unknown": 1}, None)
    said = clock.now()
    async with core.database.transaction(SYSTEM, said) as tx:
        await make_slo(tx, "a", current=90.0)
    clock.move(days=1)
    async with core.database.transaction(SYSTEM, clock.now()) as tx:
        await make_slo(tx, "b", current=99.95)
    clock.move(days=2 * 365)
    found = (await measured(core, "api"))["api"]["slo"]
    assert (found.as_of, found.is_stale(clock.now())) == (said, False)
    async with core.database.transaction(SYSTEM, clock.now()) as tx:
        for name in "ab":
            await make_slo(tx, name, current=99.99)
    assert await section(core, "slo") == ({"count": 3, "met": 2, "breached": 0, "unknown": 1}, clock.now())


async def test_health(core: Core, clock: TestClock) -> None:
    """As it was last evaluated; an hour later nobody knows."""
    async with core.database.transaction(SYSTEM, clock.now()) as tx:
        await make_slo(tx, current=90.0)
    before = clock.now()
    clock.move(minutes=61)
    assert await section(core, "health") == ({"status": "DEGRADED", "points": 2}, before)
    assert (await measured(core, "api"))["api"]["health"].is_stale(clock.now())


@pytest.mark.parametrize(
    ("month", "as_of"),
    [
        ("2023-12", datetime(2024, 1, 1, tzinfo=UTC)),
        ("2024-02", datetime(2024, 3, 1, tzinfo=UTC)),
        ("2024-03", datetime(2024, 3, 15, 12, tzinfo=UTC)),
    ],
)
async def test_cost(core: Core, month: str, as_of: datetime) -> None:
    """What the newest month was billed at, as of its end; a month that has not ended, as of now."""
    async with core.database.transaction(SYSTEM, core.clock.now()) as tx:
        await bill(tx, "api", month, 120, "EUR")
        await bill(tx, "api", "2023-11", 1, "EUR")
        await allow(tx, "api", 100, "EUR")
    assert await section(core, "cost") == ({"monthly": 120.0, "over_budget": True, "currency": "EUR"}, as_of)
    stale = (await measured(core, "api"))["api"]["cost"].is_stale(core.clock.now())
    assert stale == (month == "2023-12")


async def test_governance(core: Core, clock: TestClock) -> None:
    """The status, and how many duties are not fulfilled; as of the newest answer, however long ago that was."""
    assert (await section(core, "governance"))[1] is None
    for check in ("runbook", "ownership"):
        clock.move(days=1)
        async with core.database.transaction(SYSTEM, clock.now()) as tx:
            await governance.set_check(tx, "api", check, passed=True)
    answered = clock.now()
    clock.move(days=800)
    assert await section(core, "governance") == ({"status": "NON_COMPLIANT", "failed": 3}, answered)


async def test_answers_come_with_when_they_were_recorded(core: Core, clock: TestClock) -> None:
    """Each by itself: what was answered years ago shows."""
    async with core.database.transaction(SYSTEM, clock.now()) as tx:
        service = (await governance.set_check(tx, "api", "runbook", passed=True)).value
        await judging.begin(tx, service)
    answered = clock.now()
    clock.move(days=800)
    async with core.database.transaction(SYSTEM, clock.now()) as tx:
        await governance.set_check(tx, "api", "monitoring", passed=False)
        docket = await cases.read(tx.connection, [service.id], "USD", clock.now())
    manifest = docket.cases[service.id].manifest
    assert manifest.recorded == {"runbook": True, "monitoring": False}
    assert manifest.recorded_at == {"runbook": answered, "monitoring": clock.now()}


async def test_incidents(core: Core, clock: TestClock) -> None:
    """Those that are not resolved, whenever they began, and all that began within 30 days."""
    async with core.database.transaction(LOCAL, clock.now()) as tx:
        for severity in (Severity.CRITICAL, Severity.CRITICAL, Severity.LOW):
            await responding.create(tx, IncidentInput("api", "trouble", severity))
        await responding.create(tx, IncidentInput("quiet", "trouble", Severity.CRITICAL))
        await responding.move(tx, TransitionInput(1), IncidentStatus.RESOLVED)
    assert await section(core, "incidents") == ({"open": 2, "open_critical": 1, "last_30d": 3}, clock.now())
    clock.move(days=30)
    assert await section(core, "incidents") == ({"open": 2, "open_critical": 1, "last_30d": 0}, clock.now())


async def test_deployments(core: Core, clock: TestClock) -> None:
    """To production, within 30 days, and how many of them failed."""
    async with core.database.transaction(SYSTEM, clock.now()) as tx:
        for ago, failed in ((0, True), (1, False), (29, True), (30, True), (31, False)):
            await deploy(tx, "api", ago * DAY, failed)
        await catalog.record_deployment(tx, DeploymentInput("api", "v1", "staging"))
        await deploy(tx, "quiet", 0 * DAY, failed=True)
    assert await section(core, "deployments") == ({"last_30d": 3, "failed_30d": 2}, clock.now())


async def test_reliability(core: Core, clock: TestClock) -> None:
    """The score, where there is one; as of the declaration where it rests on nothing else, else as of now."""
    declared = clock.now()
    async with core.database.transaction(SYSTEM, declared) as tx:
        await declare(tx, "api", {"uptime_pct": 100.0})
    clock.move(days=800)
    assert await section(core, "reliability") == ({"score": 100.0}, declared)
    async with core.database.transaction(SYSTEM, clock.now()) as tx:
        await deploy(tx, "api", 29 * DAY, failed=False)
    assert await section(core, "reliability") == ({"score": 100.0}, clock.now())


async def test_values_are_what_their_section_says(core: Core, clock: TestClock) -> None:
    """Of its fields and their types alone: expressions are compiled by them."""
    async with core.database.transaction(SYSTEM, clock.now()) as tx:
        await declare(tx, "api", {"uptime_pct": 100.0})
        await bill(tx, "api", "2024-02", 90, "USD")
    for name, found in (await measured(core, "api"))["api"].items():
        assert list(found.values) == list(found.section.fields), name
        for field, value in found.values.items():
            assert type(value) is TYPES[found.section.fields[field]], (name, field)


async def test_facts_are_read_in_a_constant_number_of_statements(core: Core) -> None:
    """However many services there are."""
    counts = []
    for names in (["api"], ["api", "quiet"]):
        async with core.database.reading() as session:
            services = {s.id: s for s in (await catalog_services.services_by_name(session, names)).values()}
            with statements(core.database) as seen:
                found = await facts.measured(Asked(session, services, "USD", core.clock.now()))
        assert len(found) == len(names)
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 20
