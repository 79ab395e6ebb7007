"""The demonstration's data: what it shows, and that it is the same each time."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from opsgraph.app import Core
from opsgraph.domains.health import queries
from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.refusals import Conflict
from opsgraph.workflows import demonstration
from opsgraph.workflows.demo import history
from opsgraph.workflows.demo.model import Traffic
from opsgraph.workflows.demo.storefront import PROBE
from tests.packaging import ROOT
from tests.support import demonstration as demo
from tests.support.api import Api
from tests.support.catalog import make_service
from tests.support.clock import START

PAGE = (ROOT / "docs" / "demo.md").read_text()

SERVICE = """
  name health { status points } reliability { score parts { basis } dora { deployments } } governance { status }
  cost { trend overBudget latest entries { month amount currency } } deployments { totalCount }
  slos { nodes { name target current budgetRemainingPct isMet } }
"""


def declared(score: float) -> dict[str, Any]:
    """The reliability of a service about which only declarations are known."""
    return {"score": score, "parts": [{"basis": "DECLARED"}] * 4, "dora": {"deployments": 0}}


def costs(*amounts: str) -> list[dict[str, str]]:
    """The entries of January and February 2024."""
    months = zip(("2024-01", "2024-02"), amounts, strict=True)
    return [{"month": month, "amount": amount, "currency": "USD"} for month, amount in months]


GATEWAY = {
    "name": "api-gateway",
    "health": {"status": "HEALTHY", "points": 0},
    "reliability": declared(85.0),
    "governance": {"status": "COMPLIANT"},
    "cost": {"trend": "INCREASING", "overBudget": False, "latest": "4500", "entries": costs("4200", "4500")},
    "deployments": {"totalCount": 0},
    "slos": {
        "nodes": [{"name": "availability", "target": 99.9, "current": 99.95, "budgetRemainingPct": 50.0, "isMet": True}]
    },
}
PAYMENTS = {
    "name": "payments",
    "health": {"status": "CRITICAL", "points": 5},
    "reliability": declared(60.0),
    "governance": {"status": "NEEDS_REVIEW"},
    "cost": {"trend": "SPIKING", "overBudget": True, "latest": "3500", "entries": costs("2800", "3500")},
    "deployments": {"totalCount": 0},
    "slos": {
        "nodes": [{"name": "availability", "target": 99.99, "current": 99.8, "budgetRemainingPct": 0.0, "isMet": False}]
    },
}


async def test_the_worked_example_is_part_of_it(api: Api) -> None:
    """Both services come out exactly as in the rules, in the report and nested; nothing was added to them."""
    await demo.load(api.core)
    data = await api.data(
        f"""{{ services(filter: {{names: ["api-gateway", "payments"]}}) {{ nodes {{ {SERVICE} }} }}
             platformReport {{ services {{
               name team health reliabilityScore governance monthlyCost slosMet slosTotal }} }} }}"""
    )
    assert data["services"]["nodes"] == [GATEWAY, PAYMENTS]
    lines = {line["name"]: tuple(line.values()) for line in data["platformReport"]["services"]}
    assert lines["payments"] == ("payments", "fintech", "CRITICAL", 60.0, "NEEDS_REVIEW", "3500.00", 0, 1)
    assert lines["api-gateway"] == ("api-gateway", "platform", "HEALTHY", 85.0, "COMPLIANT", "4500.00", 1, 1)


async def test_the_report_has_something_of_everything(api: Api) -> None:
    """The counts of the platform report, costs in three currencies, what nobody owns, and what is archived."""
    await demo.load(api.core)
    data = await api.data(
        """{ platformReport { totalServices healthy degraded critical down unknown overallHealth sloBreaches overBudget
             governanceCompliant totalMonthlyCost { currency } unallocatedCost { currency } unallocatedEntries { month }
             services { name health } }
             archived: services(filter: {archived: true}) { nodes { name archivedAt } }
             teams { nodes { name services { totalCount } members { totalCount } } } }"""
    )
    report = data["platformReport"]
    by_status: dict[str, set[str]] = {}
    for line in report.pop("services"):
        by_status.setdefault(line["health"], set()).add(line["name"])
    assert by_status == demo.SERVICES
    assert report == {
        "totalServices": 13,
        "healthy": 6,
        "degraded": 3,
        "critical": 3,
        "down": 0,
        "unknown": 1,
        "overallHealth": "CRITICAL",
        "sloBreaches": 4,
        "overBudget": 3,
        "governanceCompliant": 6,
        "totalMonthlyCost": [{"currency": "EUR"}, {"currency": "GBP"}, {"currency": "USD"}],
        "unallocatedCost": [{"currency": "USD"}],
        "unallocatedEntries": [{"month": "2023-12"}, {"month": "2024-01"}, {"month": "2024-02"}],
    }
    retired = START - timedelta(days=21)
    assert data["archived"]["nodes"] == [{"name": "legacy-cart", "archivedAt": f"{retired:%Y-%m-%dT%H:%M:%SZ}"}]
    counts = {t["name"]: (t["services"]["totalCount"], t["members"]["totalCount"]) for t in data["teams"]["nodes"]}
    assert counts == {
        "discovery": (2, 2),
        "fintech": (3, 2),
        "fulfilment": (3, 3),
        "platform": (2, 3),
        "storefront": (3, 3),
    }


async def test_the_services_differ_in_every_respect(api: Api) -> None:
    """SLOs of several kinds, costs that rise, fall and are given back, failures with repairs, a cycle."""
    await demo.load(api.core)
    data = await api.data(
        """{ slos { nodes { indicator budgetingMethod windowDays calendar isMet coveragePct } }
             services { nodes { name tier lifecycle tags dependencies { nodes { name } }
               cost { currency trend latestMonth forecast otherCurrencies { currency } entries { amount } }
               reliability { dora { deployments failures recoverySamples leadTimeSamples } } } } }"""
    )
    slos, services = data["slos"]["nodes"], {service["name"]: service for service in data["services"]["nodes"]}
    assert {slo["budgetingMethod"] for slo in slos} == {"OCCURRENCES", "TIMESLICES", "RATIO_TIMESLICES"}
    assert {slo["indicator"] for slo in slos} == {"DECLARED", "EXTERNAL"}
    assert {slo["calendar"] for slo in slos} == {None, "WEEK", "MONTH", "QUARTER"}
    assert [slo["coveragePct"] for slo in slos if slo["isMet"] is None] == [0.0]
    assert [slo["isMet"] for slo in slos].count(False) == 4
    assert services["search"]["cost"]["latestMonth"] == "2024-03"
    assert services["search"]["cost"]["forecast"] is not None
    assert services["fraud-detection"]["cost"]["trend"] == "SPIKING"
    assert services["inventory"]["cost"]["currency"] == "EUR"
    assert services["shipping"]["cost"]["otherCurrencies"] == [{"currency": "EUR"}, {"currency": "GBP"}]
    assert services["ledger"]["cost"]["trend"] == "DECREASING"
    assert {service["tier"] for service in services.values()} == {1, 2, 3, 4}
    assert "inventory" in names(services["orders"])
    assert "shipping" in names(services["inventory"])
    assert "orders" in names(services["shipping"])
    dora = services["fraud-detection"]["reliability"]["dora"]
    assert (dora["failures"], dora["recoverySamples"], dora["leadTimeSamples"]) == (4, 4, dora["deployments"])


async def test_the_queries_of_its_page_are_answered(api: Api) -> None:
    """Every operation that docs/demo.md suggests, in their order; what it changes is changed as it says."""
    await demo.load(api.core)
    operations = re.findall(r"```graphql\n(.*?)```", PAGE, re.DOTALL)
    assert len(operations) == 8
    answers = [await api.data(operation) for operation in operations]
    assert len(answers[0]["services"]["nodes"]) == 3
    assert [node["title"] for node in answers[5]["incidents"]["nodes"]] == [
        "Card authorisations take 5.1 s (95th percentile)"
    ]
    assert {node["name"]: node["readiness"]["decision"] for node in answers[6]["services"]["nodes"]} == demo.VERDICTS
    assert answers[-1]["saveSlo"]["service"] == {"name": "orders", "health": {"status": "CRITICAL", "points": 4}}


async def test_a_month_of_incidents_and_what_fires_now(api: Api) -> None:
    """Eight were resolved by people, one is open; an alert is silenced, one is for information."""
    await demo.load(api.core)
    data = await api.data(
        """{ incidents { nodes { number status serviceName alertCount mttaSeconds mttrSeconds assignee { name }
               service { name } notes { nodes { author } } timeline { nodes { type createdAt } } createdAt } }
             alerts(filter: {statuses: [FIRING]}) { nodes { serviceName severity silenced incident { number } } }
             silences(active: true) { nodes { createdBy } }
             incidentStats { total open resolved mttrSecondsMean } }"""
    )
    incidents = data["incidents"]["nodes"]
    assert [incident["number"] for incident in incidents] == list(range(9, 0, -1))
    assert {incident["serviceName"] for incident in incidents}.isdisjoint({"api-gateway", "payments"})
    assert [incident["status"] for incident in incidents] == ["OPEN", *["RESOLVED"] * 8]
    for incident in incidents[1:]:
        times = [entry["createdAt"] for entry in incident["timeline"]["nodes"]]
        assert (times, times[0]) == (sorted(times), incident["createdAt"])
        assert 0 < incident["mttaSeconds"] < incident["mttrSeconds"]
        assert all(note["author"] == incident["assignee"]["name"] for note in incident["notes"]["nodes"])
    assert [tuple(alert.values()) for alert in data["alerts"]["nodes"]] == [
        ("checkout", "HIGH", False, {"number": 9}),
        ("checkout", "HIGH", False, {"number": 9}),
        ("inventory", "HIGH", True, None),
        ("recommendations", "INFO", False, None),
    ]
    assert data["silences"]["nodes"] == [{"createdBy": "Anneli Koski"}]
    stats = data["incidentStats"]
    assert (stats["total"], stats["open"], stats["resolved"]) == (9, 1, 8)
    assert 15 * 60 < stats["mttrSecondsMean"] < 30 * 60


async def test_it_is_not_loaded_twice(api: Api) -> None:
    """A second time is refused and changes nothing; when it was loaded can be told."""
    await demo.load(api.core)
    before = await demo.contents(api.core.database)
    with pytest.raises(Conflict, match="already in this database"):
        await demo.load(api.core)
    assert await demo.contents(api.core.database) == before
    async with api.core.database.reading() as session:
        assert await demonstration.loaded_at(session) == START


async def test_it_is_not_mixed_with_other_data(api: Api) -> None:
    """A database that holds anything else is left as it is; one that is empty holds no demonstration."""
    async with api.core.database.transaction(SYSTEM, START) as tx:
        assert await demonstration.loaded_at(tx.connection) is None
        await make_service(tx, "api-gateway")
    before = await demo.contents(api.core.database)
    with pytest.raises(Conflict, match="holds other data"):
        await demo.load(api.core)
    assert await demo.contents(api.core.database) == before


async def test_an_archived_service_is_other_data_too(api: Api) -> None:
    """Nothing that anyone entered is overlooked."""
    await api.do("saveService", name="old")
    await api.data('mutation { archiveService(name: "old") { __typename } }')
    with pytest.raises(Conflict, match="holds other data"):
        await demo.load(api.core)


async def test_the_same_seed_and_instant_give_the_same_rows(sqlite_template: Path, tmp_path: Path) -> None:
    """Ids included. What is recorded is decided before any database has a say in it: SQLite only."""
    dumps = []
    for _ in range(2):
        async with demo.loaded(sqlite_template, tmp_path, START, seed=7, ids=1) as core:
            dumps.append(await demo.contents(core.database))
    assert dumps[0] == dumps[1]
    assert len(dumps[0]["service"]) == 14


def test_another_seed_gives_other_events() -> None:
    """The same SLO, other counts."""
    traffic = Traffic(every=timedelta(hours=1), reports=5, total=1_000, bad=0.01)
    one, other = (list(history.reports(PROBE, traffic, START, Random(seed))) for seed in (1, 2))  # noqa: S311 - no secret
    assert [report.at for report in one] == [report.at for report in other]
    assert one != other


@pytest.mark.parametrize(
    ("now", "seed"),
    [
        (datetime(2025, 1, 1, tzinfo=UTC), 1),
        (datetime(2025, 3, 30, 1, 30, tzinfo=UTC), 2),
        (datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC), 3),
    ],
)
async def test_the_mix_does_not_depend_on_the_day(
    sqlite_template: Path, tmp_path: Path, now: datetime, seed: int
) -> None:
    """The first instant of a year, a change of clocks, the end of a leap day. About the data: SQLite only."""
    async with demo.loaded(sqlite_template, tmp_path, now, seed, ids=seed) as core:
        assert await mix(core) == demo.SERVICES


async def mix(core: Core) -> dict[str, set[str]]:
    """The services by their health."""
    found: dict[str, set[str]] = {}
    async with core.database.reading() as session:
        for line in await queries.summaries(session, 500):
            found.setdefault(line.status.value, set()).add(line.name)
    return found


def names(service: dict[str, Any]) -> set[str]:
    """What a service depends on."""
    return {node["name"] for node in service["dependencies"]["nodes"]}
